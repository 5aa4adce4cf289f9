import CLinux
import Core
import Glibc
import Testing

@testable import IO

/// Signals are sent to the test's own thread only: another thread of the runner would not expect them.
@Suite struct SignalsTests {
    /// Runs `body` and puts the thread's signal mask back: the thread belongs to the runner.
    private func keepingMask(_ body: () throws -> Void) rethrows {
        var mask = sigset_t()
        unsafe pthread_sigmask(SIG_SETMASK, nil, &mask)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &mask, nil) }
        try body()
    }

    @Test func signalsAreEventsOfTheLoop() throws {
        try keepingMask {
            let loop = try EventLoop()
            var received: [Signals.Signal] = []
            let signals = try Signals { received.append($0) }
            try signals.attach(to: loop)
            for signal in Signals.Signal.allCases { pthread_kill(pthread_self(), signal.rawValue) }
            #expect(loop.turn { received.count == 4 })
            #expect(Set(received) == Set(Signals.Signal.allCases))
            pthread_kill(pthread_self(), Signals.Signal.terminate.rawValue)
            #expect(loop.turn { received.count == 5 })
            #expect(received.last == .terminate)
        }
    }

    @Test func theNumbersAreTheKernels() {
        #expect(Signals.Signal.terminate.rawValue == SIGTERM)
        #expect(Signals.Signal.interrupt.rawValue == SIGINT)
        #expect(Signals.Signal.hangUp.rawValue == SIGHUP)
        #expect(Signals.Signal.user1.rawValue == SIGUSR1)
    }

    @Test func aPeerThatHasGoneIsAnErrorNumberAndNotTheEnd() throws {
        try keepingMask {
            let signals = try Signals { _ in }
            let pair = try SocketPair(EventLoop())
            pair.closePeer()
            let written = unsafe write(pair.transport.rawDescriptor, "x", 1)
            #expect(written == -1)
            #expect(errno == EPIPE)
            withExtendedLifetime(signals) {}
        }
    }
}
