import Model
import TestServers
import Testing

@testable import Broker

/// No entry of a stream and no reply of Redis ends the process: a trap would end this run.
@Suite struct EntryFuzzTests {
    private let id = MailingID(milliseconds: 1_700_000_000_000)

    private func entry(_ fields: [String: [UInt8]], _ random: inout SeededGenerator, stream: String = "s") -> StreamEntry {
        var fields = fields
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let name = fields.keys.sorted().randomElement(using: &random) ?? "v"
            switch Int.random(in: 0..<4, using: &random) {
            case 0: fields[name] = nil
            case 1: fields[name] = Array((Mutation.numbers.randomElement(using: &random) ?? "").utf8)
            default: fields[name] = Mutation.spoil(fields[name] ?? [], using: &random)
            }
        }
        return StreamEntry(stream: stream, id: "1700000000000-0", fields: fields)
    }

    private func fields(_ arguments: [RedisArgument]) -> [String: [UInt8]] {
        var fields: [String: [UInt8]] = [:]
        for place in stride(from: 0, to: arguments.count - 1, by: 2) {
            guard case .text(let name) = arguments[place] else { continue }
            switch arguments[place + 1] {
            case .text(let text): fields[name] = Array(text.utf8)
            case .bytes(let bytes): fields[name] = bytes
            case .serverRun: break
            }
        }
        return fields
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func noEntryEndsTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var recipients = Recipients(width: 2)
        recipients.append(row: ["1", "a"])
        recipients.append(row: ["2", "b"])
        let batch = DispatchedBatch(
            id: BatchID(mailing: id, number: 3), dispatchNumber: 2, recipients: recipients.encoded(), count: 2,
            open: [OpenRecipient(index: 0, attempts: 1), OpenRecipient(index: 1, attempts: 2)], expires: 1_700_000_100_000,
            dispatched: 1_700_000_000_000)
        let group = ResultGroup(
            Dispatch(batch: batch.id, dispatchNumber: 2), worker: "w.1", provider: "p", sequence: 4, closing: .done,
            results: [RecipientResult(index: 0, state: .sent, attempts: 1, at: 1_700_000_000_000)])
        let results = fields(group.fields + ["f", "done", "c", "5"])
        let events = fields(["v", "1", "k", "e", "m", .text("\(id)"), "d", #"[[0,1,"opened",1,""]]"#])
        let batches = fields(batch.fields(Epoch(text: "run:ledger:x")))
        let letter = fields([
            "v", "1", "l", "email:p", "i", "1-0", "y", "why", "a", "1", "d", .bytes([1, 0, 0, 0, 109, 2, 0, 0, 0, 97, 98]),
        ])
        let mailing = Mailing(name: "m", channel: .email, provider: "p")
        for _ in 0..<2_000 {
            for kind in [results, events] {
                let read = StatusStreams.Entry(entry(kind, &random), partition: 0)
                if case .results(let group) = read.payload {
                    #expect(group.batch.number >= 0 && group.dispatchNumber >= 0 && group.groups >= 0)
                    #expect(read.letter == nil || group.isPartial)
                    // As it is told again after a loss of Redis.
                    _ = group.fields
                }
            }
            _ = DeadLetter(dead: entry(letter, &random))
            guard let read = try? DispatchedBatch(entry(batches, &random)) else { continue }
            #expect(read.count > 0 && (read.open ?? []).allSatisfy { (0..<read.count).contains($0.index) } && read.dispatched >= 0)
            if let recipients = try? read.recipients(of: mailing) { #expect(recipients.count == read.count) }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func noReplyEndsTheProcess(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = Array("*3\r\n$3\r\nabc\r\n:42\r\n*2\r\n$10\r\n1700000000\r\n$6\r\n123456\r\n-ERR x\r\n+OK\r\n".utf8)
        for _ in 0..<1_000 {
            let decoder = RedisDecoder()
            let bytes = Mutation.spoil(whole, using: &random)
            guard bytes.withUnsafeBytes({ decoder.feed($0) }) else { continue }
            do throws(RedisError) {
                while let reply = try decoder.next() { use(reply) }
            } catch { continue }
        }
        for number in Mutation.numbers {
            use(.array([.string(Array(number.utf8)), .string(Array(number.utf8))]))
            use(.string(Array(number.utf8)))
        }
    }

    private func use(_ reply: RESPValue) {
        _ = (reply.time, reply.count, reply.int, reply.number(atMost: 4e15), try? StreamEntry.list(reply))
        for part in reply.array ?? [] { use(part) }
    }
}
