import Model
import TestServers
import Testing

@Suite struct ReceiptBatchTests {
    private func receipt(_ kind: ProviderReceipt.Kind, _ number: Int) -> ProviderReceipt {
        var one = ProviderReceipt(kind, word: "w\(number)")
        (one.webhook, one.provider, one.providerID) = ("hook", "main", "id-\(number)")
        (one.messageID, one.recipient, one.detail) = ("m.1.2@x", "ä@example.com", "550 gone")
        (one.time, one.arrived, one.isMachine) = (number == 0 ? nil : Int64(number), 5, number % 2 == 1)
        return one
    }

    @Test func whatIsWrittenIsRead() throws {
        let batch = ReceiptBatch(ProviderReceipt.Kind.allCases.enumerated().map { receipt($1, $0) })
        #expect(try ReceiptBatch(decoding: batch.encoded()) == batch)
        #expect(try ReceiptBatch(decoding: ReceiptBatch([]).encoded()).receipts.isEmpty)
    }

    @Test func whatIsTooLongIsCutAtAWholeCharacter() throws {
        var one = receipt(.bounced, 1)
        one.detail = String(repeating: "ä", count: 1000)
        one.time = -5
        let read = try #require(try ReceiptBatch(decoding: ReceiptBatch([one]).encoded()).receipts.first)
        #expect(read.detail == String(repeating: "ä", count: 499) && read.time == 0)
    }

    @Test func whateverIsReadNothingTraps() {
        var random = SeededGenerator(seed: 36)
        let good = ReceiptBatch((0..<3).map { receipt(.delivered, $0) }).encoded()
        for _ in 0..<5000 {
            var wire = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                wire[Int.random(in: wire.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? ReceiptBatch(decoding: Array(wire.prefix(Int.random(in: 0...wire.count, using: &random))))
        }
        #expect(throws: WireError.self) { try ReceiptBatch(decoding: []) }
        #expect(throws: WireError.self) { try ReceiptBatch(decoding: good + [0]) }
        var newer = good
        newer[0] = 2
        #expect(throws: WireError.self) { try ReceiptBatch(decoding: newer) }
    }
}
