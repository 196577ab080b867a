import Testing

@testable import Model

@Suite struct RecipientSliceTests {
    private func batch(_ sizes: [Int]) -> [UInt8] {
        var recipients = Recipients(width: 2)
        for (index, size) in sizes.enumerated() { recipients.append(row: ["\(index)", String(repeating: "x", count: size)]) }
        return recipients.encoded()
    }

    @Test func asManyAsFitTravelAndTheOthersKeepTheirPlaces() throws {
        let wire = batch([100, 100, 100, 100, 100])
        let slice = try RecipientSlice(of: wire, wanted: [0, 1, 3, 4], atMost: 250)
        #expect(slice.indexes == [0, 1])
        let read = try Recipients(decoding: slice.wire, width: 2)
        #expect((0..<5).map { read[$0, 0] } == ["0", "1", "", "", ""] && read[1, 1].utf8.count == 100)
        #expect(try RecipientSlice(of: wire, wanted: [3, 4], atMost: 250).indexes == [3, 4])
        #expect(try RecipientSlice(of: wire, wanted: [0, 1, 3, 4], atMost: 1_000_000).indexes == [0, 1, 3, 4])
    }

    @Test func oneTravelsHoweverLargeItIs() throws {
        let slice = try RecipientSlice(of: batch([9_000, 10, 9_000]), wanted: [0, 1, 2], atMost: 100)
        #expect(slice.indexes == [0])
        // Nobody overtakes.
        #expect(try RecipientSlice(of: batch([10, 9_000, 10]), wanted: [0, 1, 2], atMost: 100).indexes == [0])
    }

    @Test func oneThatCannotBeReadIsRefused() {
        #expect(throws: WireError.self) { try RecipientSlice(of: Array("[[1".utf8), wanted: [0], atMost: 100) }
    }
}
