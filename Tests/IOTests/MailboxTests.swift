import Core
import Glibc
import Testing

@testable import IO

@Suite struct MailboxTests {
    @Test func messagesOfManyThreadsArriveEachInItsSendersOrder() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<(sender: Int, number: Int)>()
        var received: [[Int]] = Array(repeating: [], count: 4)
        let receiver = try mailbox.receive(on: loop) { received[$0.sender].append($0.number) }
        let threads = try (0..<4).map { sender in
            try WorkerThread(name: "sender") { for number in 0..<2000 { mailbox.post((sender, number)) } }
        }
        #expect(loop.turn { received.allSatisfy { $0.count == 2000 } })
        for thread in threads { thread.join() }
        for numbers in received { #expect(numbers == Array(0..<2000)) }
        withExtendedLifetime(receiver) {}
    }

    @Test func whatWasPostedBeforeAnybodyListenedIsDelivered() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Int>()
        for number in 0..<3 { mailbox.post(number) }
        var received: [Int] = []
        let receiver = try mailbox.receive(on: loop) { received.append($0) }
        loop.turn(waitMs: 0)
        #expect(received == [0, 1, 2])
        withExtendedLifetime(receiver) {}
    }

    @Test func aMessagePostedWhileOneIsHandledIsDeliveredToo() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Int>()
        var received: [Int] = []
        let receiver = try mailbox.receive(on: loop) { number in
            received.append(number)
            if number < 5 { mailbox.post(number + 1) }
        }
        mailbox.post(0)
        #expect(loop.turn { received.count == 6 })
        #expect(received == [0, 1, 2, 3, 4, 5])
        withExtendedLifetime(receiver) {}
    }

    @Test func twoLoopsPassAMessageToAndFro() throws {
        let here = try EventLoop()
        let (ping, pong) = (try Mailbox<Int>(), try Mailbox<Int>())
        let thread = try WorkerThread(name: "peer") {
            let there = try! EventLoop()
            let receiver = try! ping.receive(on: there) { [unowned there] number in
                pong.post(number + 1)
                if number >= 998 { there.stop() }
            }
            there.run()
            withExtendedLifetime(receiver) {}
        }
        var last = 0
        let receiver = try pong.receive(on: here) { number in
            last = number
            if number < 999 { ping.post(number + 1) }
        }
        ping.post(0)
        #expect(here.turn { last >= 999 })
        thread.join()
        withExtendedLifetime(receiver) {}
    }
}
