import Glibc

/// How many CPUs this process may use: the cgroup's quota, not the host's cores.
package enum CPUQuota {
    /// CPUs, possibly a fraction; nil when there is no quota. Looks at cgroup v2's `cpu.max`, then v1's CFS files, from
    /// the process's own group up to the root, and takes the smallest.
    package static func cpus(root: String = "/sys/fs/cgroup", groups: String = "/proc/self/cgroup") -> Double? {
        var smallest: Double?
        func consider(_ quota: Double?) {
            if let quota { smallest = min(smallest ?? quota, quota) }
        }
        for line in TextFile.read(groups)?.split(separator: "\n") ?? [] {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            guard parts[1].isEmpty || controllers.contains("cpu") else { continue }
            var group = String(parts[2])
            // In a container the path is the host's and may not exist here: the walk ends at the mounted root.
            while true {
                if parts[1].isEmpty {
                    consider(version2(TextFile.read("\(root)\(group)/cpu.max")))
                    consider(version2(TextFile.read("\(root)/unified\(group)/cpu.max")))
                } else {
                    for mount in ["cpu", "cpu,cpuacct", String(parts[1])] {
                        consider(
                            version1(
                                quota: TextFile.read("\(root)/\(mount)\(group)/cpu.cfs_quota_us"),
                                period: TextFile.read("\(root)/\(mount)\(group)/cpu.cfs_period_us")))
                    }
                }
                guard let slash = group.lastIndex(of: "/"), group != "/" else { break }
                group = String(group[..<slash])
                if group.isEmpty { group = "/" }
            }
        }
        return smallest
    }

    /// `workers: auto`: the quota rounded up, at least 1, at most 2, and no more than there are processors.
    package static var workers: Int {
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let allowed = cpus().map { Int(min($0, 1024).rounded(.up)) } ?? processors
        return max(1, min(allowed, processors, 2))
    }

    /// `max 100000` or `150000 100000`.
    static func version2(_ text: String?) -> Double? {
        guard let parts = text?.split(whereSeparator: \.isWhitespace), parts.count == 2,
            let quota = Double(parts[0]), let period = Double(parts[1]), quota > 0, period > 0
        else { return nil }
        return quota / period
    }

    /// A quota of -1 is none.
    static func version1(quota: String?, period: String?) -> Double? {
        guard let quota = quota?.split(whereSeparator: \.isWhitespace).first.flatMap({ Double($0) }),
            let period = period?.split(whereSeparator: \.isWhitespace).first.flatMap({ Double($0) }), quota > 0,
            period > 0
        else { return nil }
        return quota / period
    }
}
