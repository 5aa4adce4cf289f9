import Core
import Glibc
import Testing

@testable import IO

@Suite struct CPUQuotaTests {
    /// Files below a directory of their own, which goes with it.
    private final class Tree {
        let root: String
        private var made: [String] = []

        init(_ files: [String: String]) throws {
            var template = Array("/tmp/io-tests-XXXXXX".utf8CString)
            root = unsafe template.withUnsafeMutableBufferPointer { buffer in
                unsafe String(cString: mkdtemp(buffer.baseAddress!)!)
            }
            for (path, text) in files {
                var directory = root
                for part in path.split(separator: "/").dropLast() {
                    directory += "/" + part
                    if unsafe mkdir(directory, 0o700) == 0 { made.append(directory) }
                }
                let file = "\(root)/\(path)"
                let descriptor = FileDescriptor(rawValue: unsafe open(file, O_CREAT | O_WRONLY, 0o600))
                let bytes = Array(text.utf8)
                guard unsafe write(descriptor.rawValue, bytes, bytes.count) == bytes.count else {
                    throw IOError.last("write")
                }
                made.append(file)
            }
        }

        deinit { for path in made.reversed() + [root] { unsafe remove(path) } }

        var quota: Double? { CPUQuota.cpus(root: root, groups: "\(root)/groups") }
    }

    @Test func version2GivesTheQuotaOfItsGroup() throws {
        #expect(try Tree(["groups": "0::/\n", "cpu.max": "150000 100000\n"]).quota == 1.5)
        #expect(try Tree(["groups": "0::/pod\n", "pod/cpu.max": "50000 100000\n"]).quota == 0.5)
    }

    @Test func theSmallestQuotaOnTheWayToTheRootCounts() throws {
        let tree = try Tree([
            "groups": "0::/kube/pod/app\n", "kube/pod/app/cpu.max": "max 100000\n",
            "kube/pod/cpu.max": "200000 100000\n", "kube/cpu.max": "300000 100000\n",
        ])
        #expect(tree.quota == 2)
    }

    @Test func aGroupThatIsNotMountedHereFallsBackToTheRoot() throws {
        #expect(try Tree(["groups": "0::/../../host/only\n", "cpu.max": "100000 100000\n"]).quota == 1)
    }

    @Test func maxIsNoQuota() throws {
        #expect(try Tree(["groups": "0::/\n", "cpu.max": "max 100000\n"]).quota == nil)
    }

    @Test(arguments: ["cpu", "cpu,cpuacct"])
    func version1GivesTheQuotaOfItsController(mount: String) throws {
        let tree = try Tree([
            "groups": "5:memory:/x\n4:\(mount):/docker/x\n1:name=systemd:/x\n0::/\n",
            "\(mount)/docker/x/cpu.cfs_quota_us": "250000\n", "\(mount)/docker/x/cpu.cfs_period_us": "100000\n",
            "\(mount)/cpu.cfs_quota_us": "-1\n", "\(mount)/cpu.cfs_period_us": "100000\n",
        ])
        #expect(tree.quota == 2.5)
    }

    @Test func version1InAContainerFindsItsQuotaAtTheMountedRoot() throws {
        let tree = try Tree([
            "groups": "4:cpu,cpuacct:/docker/unseen\n", "cpu/cpu.cfs_quota_us": "120000\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        ])
        #expect(tree.quota == 1.2)
    }

    @Test(arguments: ["", "garbage", "0 100000", "-5 100000", "100000 0", "100000", "nan nan", "1 2 3"])
    func whatIsNoQuotaIsIgnored(text: String) throws {
        #expect(try Tree(["groups": "0::/\n", "cpu.max": text]).quota == nil)
    }

    @Test func withoutCgroupsThereIsNoQuota() {
        #expect(CPUQuota.cpus(root: "/nonexistent", groups: "/nonexistent/groups") == nil)
    }

    @Test func workersAreAtLeastOneAndAtMostTwo() {
        #expect((1...2).contains(CPUQuota.workers))
    }
}
