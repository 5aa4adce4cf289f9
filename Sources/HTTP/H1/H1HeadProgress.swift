import Core

/// Whether a head that was incomplete before is worth another pass.
///
/// The parsers keep no state, so a head that trickles in would be parsed again from its start for each byte. This looks
/// at the new bytes only, and says yes when they may complete the head or its start line, reach a limit, or hold what
/// cannot be right. The full pass then finds the first error, the same one as in the uncut head.
enum H1HeadProgress {
    static func mayDecide(_ input: Span<UInt8>, scanned: Int, limits: HeadLimits) -> Bool {
        if input.count >= limits.headBytesMax { return true }
        var startLineIsNew: Bool?
        if input.count > limits.startLineBytesMax {
            let lineFeed = input.firstIndex(of: ASCII.lineFeed, from: 0)
            if lineFeed > limits.startLineBytesMax + 1 { return true }
            startLineIsNew = lineFeed >= scanned
        }
        // The last byte seen may have been a carriage return, which only the next one judges.
        var position = max(min(scanned, input.count) - 1, 0)
        while true {
            let control = input.firstControl(from: position)
            guard control < input.count else { return false }
            var lineFeed = control
            if input[control] == ASCII.carriageReturn {
                lineFeed = control + 1
                guard lineFeed < input.count else { return false }
            }
            guard lineFeed > 0, input[lineFeed] == ASCII.lineFeed, input[lineFeed - 1] == ASCII.carriageReturn else {
                return true
            }
            // An empty line ends the head, or stands before it.
            if lineFeed < 2 || input[lineFeed - 2] == ASCII.lineFeed { return true }
            if startLineIsNew == nil { startLineIsNew = input.firstIndex(of: ASCII.lineFeed, from: 0) >= scanned }
            if startLineIsNew == true { return true }
            position = lineFeed + 1
        }
    }
}
