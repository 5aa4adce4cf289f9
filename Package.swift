// swift-tools-version: 6.2
import PackageDescription

/// Every room is compiled alike: Swift 6, strict memory safety, warnings are errors.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func library(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CModules/\(name)", pkgConfig: pkgConfig,
        providers: apt.map { [.apt([$0])] })
}

let package = Package(
    name: "sidecar",
    products: [.executable(name: "sidecar", targets: ["sidecar"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        library("CLinux"),
        library("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        library("CPCRE2", pkgConfig: "libpcre2-8", apt: "libpcre2-dev"),
        library("CAres", pkgConfig: "libcares", apt: "libc-ares-dev"),
        library("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),

        room("Core", []),
        room("IO", ["Core", "CLinux", "COpenSSL", "CAres"]),
        room("HTTP", ["Core"]),
        room("Config", ["Core", "CYAML"]),
        room("Traffic", ["HTTP", "Config", "Core", "CPCRE2"]),
        room("Proxy", ["Traffic", "IO", "HTTP", "Config", "Core", .product(name: "Logging", package: "swift-log")]),
        .executableTarget(
            name: "sidecar",
            dependencies: ["Proxy", "Config", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["IO", "CLinux", "COpenSSL"], path: "Tests/Support",
            swiftSettings: settings),
        tests("CoreTests", ["Core"]),
        tests("IOTests", ["IO", "Core", "CLinux", "COpenSSL", "TestSupport"]),
        tests("HTTPTests", ["HTTP", "Core"]),
        tests("ConfigTests", ["Config", "Core"]),
        tests("TrafficTests", ["Traffic", "HTTP", "Config", "Core", "CLinux"]),
        tests("ProxyTests", ["Proxy", "Traffic", "IO", "HTTP", "Config", "Core", "TestSupport"]),
    ]
)
