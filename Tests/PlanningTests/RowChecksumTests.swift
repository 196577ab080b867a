import Testing

@testable import Planning

@Suite struct RowChecksumTests {
    @Test func everyBitOfARowCounts() {
        var row = InputRow()
        row.bytes = Array("2bob.builder@b.example".utf8)
        row.ranges = [0..<1, 1..<22]
        func sum(_ row: InputRow) -> UInt64 {
            var checksum = RowChecksum()
            checksum.add(row)
            return checksum.value
        }
        var seen: Set<UInt64> = [sum(row)]
        for bit in 0..<row.bytes.count * 8 {
            var other = row
            other.bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(seen.insert(sum(other)).inserted, "bit \(bit)")
        }
        row.ranges = [0..<2, 2..<22]
        #expect(seen.insert(sum(row)).inserted)
    }
}
