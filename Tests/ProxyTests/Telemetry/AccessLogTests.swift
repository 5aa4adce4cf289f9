import Config
import Core
import Glibc
import HTTP
import TestSupport
import Testing
import Traffic

@testable import Proxy

@Suite struct AccessLogTests {
    private let metrics = WorkerMetrics(names: .sample, seriesMax: 16)
    private let head = RequestHead.sample()

    private func writer(_ path: String, bytesMax: Int = 1 << 20) throws -> AccessLogWriter {
        var configuration = AccessLogConfiguration()
        configuration.path = .file(path)
        configuration.bufferBytesMax = bytesMax
        return try AccessLogWriter(configuration)
    }

    private func log(_ writer: AccessLogWriter, onlyFailures: Bool = false) -> AccessLog {
        AccessLog(writer: writer, format: .json, names: .sample, metrics: metrics, onlyFailures: onlyFailures)
    }

    private func record(_ log: AccessLog, status: UInt16 = 200, reason: Reason = .none) {
        var record = ExchangeRecord.sample
        record.status = status
        record.reason = reason
        log.record(record, head: head, upstreamAddress: Span(), wallNanoseconds: 1_709_208_000_250_000_000)
    }

    private func statuses(_ text: String) -> [JSONValue?] {
        text.split(separator: "\n").map { JSONValue(Array($0.utf8))?["http.response.status_code"] }
    }

    private let tenSeconds: UInt64 = 10_000_000_000

    @Test func linesReachTheFileInOrder() throws {
        let directory = ScratchDirectory()
        let writer = try writer(directory.path + "/log")
        let log = log(writer)
        for status in UInt16(200)..<700 { record(log, status: status) }
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
        #expect(statuses(directory.text("log")) == (200..<700).map { .number(Double($0)) })
        #expect(metrics.value(.accessLogLines) == 500)
        #expect(metrics.value(.accessLogDroppedLines) == 0)
        #expect(writer.value(.writtenBytes) == UInt64(directory.text("log").utf8.count))
    }

    @Test func anIdleWorkersLinesDoNotWaitForMore() throws {
        let directory = ScratchDirectory()
        let writer = try writer(directory.path + "/log")
        let log = log(writer)
        record(log)
        #expect(directory.text("log").isEmpty)
        log.flush()
        #expect(waitUntil { writer.value(.writtenBytes) > 0 })
        #expect(statuses(directory.text("log")) == [200])
        #expect(writer.finish(nanosecondsMax: tenSeconds))
    }

    @Test func withoutAConfiguredLogOnlyFailuresAreWritten() throws {
        let directory = ScratchDirectory()
        let writer = try writer(directory.path + "/log")
        let log = log(writer, onlyFailures: true)
        record(log)
        record(log, status: 502)
        record(log, status: 503, reason: .connectRefused)
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
        #expect(statuses(directory.text("log")) == [503])
    }

    @Test func afterARotationLinesGoToTheNewFile() throws {
        let directory = ScratchDirectory()
        let writer = try writer(directory.path + "/log")
        let log = log(writer)
        record(log, status: 201)
        log.flush()
        #expect(waitUntil { writer.value(.writtenBytes) > 0 })
        // SAFETY: Swift keeps the names' bytes alive and zero-terminated for the call.
        #expect(unsafe rename(directory.path + "/log", directory.path + "/log.1") == 0)
        writer.reopen()
        record(log, status: 202)
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
        #expect(statuses(directory.text("log.1")) == [201])
        #expect(statuses(directory.text("log")) == [202])
    }

    @Test func aReopeningThatFailsIsCountedAndTheOldFileStaysInUse() throws {
        let directory = ScratchDirectory()
        let writer = try writer(directory.path + "/log")
        let log = log(writer)
        // A directory in the file's place: it cannot be opened for writing.
        // SAFETY: Swift keeps the names' bytes alive and zero-terminated for the call.
        #expect(unsafe rename(directory.path + "/log", directory.path + "/log.1") == 0)
        #expect(unsafe mkdir(directory.path + "/log", 0o700) == 0)
        writer.reopen()
        record(log, status: 203)
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
        unsafe rmdir(directory.path + "/log")
        #expect(writer.value(.writeErrors) == 1)
        #expect(statuses(directory.text("log.1")) == [203])
    }

    @Test func aReaderThatIsStuckCostsLinesAndNeverAWait() throws {
        let pipe = NamedPipe()
        let bytesMax = 100_000
        let writer = try writer(pipe.path, bytesMax: bytesMax)
        close(pipe.writing)
        let log = log(writer)
        // Nobody reads: the pipe takes some 64 KiB, the queue its limit, and all beyond is dropped.
        for _ in 0..<5000 { record(log) }
        log.flush()
        log.finish()
        let dropped = metrics.value(.accessLogDroppedLines)
        #expect(metrics.value(.accessLogLines) == 5000)
        #expect(dropped > 3000 && dropped < 5000)
        #expect(!writer.finish(nanosecondsMax: 1_000_000))

        // The reader comes back: what was kept arrives whole.
        let text = readAll(pipe.reading, lines: 5000 - Int(dropped))
        #expect(statuses(String(decoding: text, as: UTF8.self)).allSatisfy { $0 == 200 })
        #expect(text.count { $0 == 0x0A } == 5000 - Int(dropped))
        #expect(writer.value(.lostLines) == 0)
        close(pipe.reading)
    }

    @Test func droppingLinesKeepsNoMemory() throws {
        let pipe = NamedPipe()
        let writer = try writer(pipe.path, bytesMax: 32_768)
        close(pipe.writing)
        let log = log(writer)
        while metrics.value(.accessLogDroppedLines) == 0 { record(log) }
        #expect(Heap.isUntouched { for _ in 0..<10_000 { record(log) } })
        close(pipe.reading)
        #expect(writer.finish(nanosecondsMax: tenSeconds))
    }

    @Test func loggingKeepsNoMemoryOnceTheChunksAreThere() throws {
        let writer = try writer("/dev/null")
        let log = log(writer)
        func lines() { for _ in 0..<10_000 { record(log) } }
        lines()
        #expect(Heap.isUntouched(by: lines))
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
    }

    @Test func aFullDiskIsCountedAndNotFatal() throws {
        let writer = try writer("/dev/full")
        let log = log(writer)
        for _ in 0..<3 { record(log) }
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
        #expect(writer.value(.writeErrors) == 1)
        #expect(writer.value(.lostLines) == 3)
    }

    @Test func aReaderThatIsGoneIsCountedAndNotFatal() throws {
        let pipe = NamedPipe()
        let writer = try writer(pipe.path)
        close(pipe.writing)
        close(pipe.reading)
        let log = log(writer)
        record(log)
        log.finish()
        #expect(writer.finish(nanosecondsMax: tenSeconds))
        #expect(writer.value(.lostLines) == 1)
    }

    @Test func aFileThatCannotBeOpenedIsAnErrorThatNamesIt() {
        #expect(throws: AccessLogError(path: "/nonexistent/log", errorNumber: ENOENT)) {
            try writer("/nonexistent/log")
        }
        let error = AccessLogError(path: "/nonexistent/log", errorNumber: ENOENT)
        #expect(error.description == "access log /nonexistent/log: No such file or directory")
    }

    private func readAll(_ descriptor: Int32, lines: Int) -> [UInt8] {
        var all: [UInt8] = []
        var found = 0
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while found < lines {
            // SAFETY: the pointer is to the array's elements, as many as are told.
            let count = unsafe read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            all.append(contentsOf: chunk[..<count])
            found += chunk[..<count].count { $0 == 0x0A }
        }
        return all
    }
}
