import ArgumentParser

@main
struct Sidecar: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sidecar", abstract: "A sidecar proxy for containers.")
}
