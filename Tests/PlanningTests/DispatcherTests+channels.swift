import Ledger
import Model
import TestServers
import Testing

@testable import Broker
@testable import Planning

/// Mailings with content for several channels.
extension DispatcherTests {
    @Test func eachBatchGoesToTheLaneOfItsChannel() async throws {
        var new = NewMailing(id: id, mailing: Mailing(name: "m", channel: .email, provider: "relay"), source: nil)
        new.contents = [.sms: MailingContent(provider: "gateway")]
        new.state = .collecting
        _ = try await ledger.add(new, repeating: .again, note: nil, now: Clock.milliseconds())
        let batches = [Channel.email, .sms, nil].enumerated().map { number, channel in
            var recipients = Recipients(width: 2)
            recipients.append(row: ["\(number)", "p\(number)"])
            return PlannedBatch(number: number, recipients: recipients, channel: channel)
        }
        try await ledger.appendPlan(id, batches: batches, exclusions: [], rowsRead: 3)
        try await ledger.finishPlan(id, now: Clock.milliseconds())
        let texts = Lane(channel: .sms, provider: "gateway")
        var taken: [Lane: [Int]] = [:]
        try await dispatching {
            try await eventually("all are dispatched") {
                for one in try await BatchQueue(broker).take([.init(lane: lane, count: 9), .init(lane: texts, count: 9)], worker: "w") {
                    taken[one.lane, default: []] += one.leases.map(\.batch.id.number)
                }
                return taken.values.joined().count == 3
            }
            guard case .known(let definition) = try await PublishedMailings(broker).definition(id) else { throw RedisError.closed }
            #expect(definition.mailing(by: .sms)?.provider == "gateway")
        }
        #expect(taken.mapValues { $0.sorted() } == [lane: [0, 2], texts: [1]])
    }
}
