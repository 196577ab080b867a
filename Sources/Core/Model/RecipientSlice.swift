import Text

/// Some recipients of a batch that is too large to travel as a whole: the others keep their places, without their values.
package struct RecipientSlice: Sendable, Equatable {
    /// The wire form of the batch with the values of `indexes` alone.
    package let wire: [UInt8]
    /// The recipients, ascending.
    package let indexes: [Int]

    /// Takes the first of the wanted recipients, as many as fit, and one at least.
    /// - Parameters:
    ///   - recipients: the wire form of the whole batch.
    ///   - wanted: the recipients to send to, ascending.
    ///   - size: bytes of their values at most.
    package init(of recipients: [UInt8], wanted: [Int], atMost size: Int) throws(WireError) {
        var wire = Array("[".utf8)
        var indexes: [Int] = []
        var left = wanted[...]
        var room = size
        var row = 0
        try WireReader.array(recipients) { reader throws(WireError) in
            let start = reader.position
            var width = 0
            try reader.array { reader throws(WireError) in
                try reader.skip()
                width += 1
            }
            let values = recipients[start..<reader.position]
            if row > 0 { wire.append(UInt8(ascii: ",")) }
            while let next = left.first, next < row { left.removeFirst() }
            if left.first == row, indexes.isEmpty || values.count <= room {
                wire += values
                indexes.append(row)
                room -= values.count
                left.removeFirst()
            } else {
                // What does not fit waits, and so does everybody behind it.
                if left.first == row { left = [] }
                wire.append(UInt8(ascii: "["))
                for column in 0..<width { wire += (column == 0 ? "\"\"" : ",\"\"").utf8 }
                wire.append(UInt8(ascii: "]"))
            }
            row += 1
        }
        wire.append(UInt8(ascii: "]"))
        self.wire = wire
        self.indexes = indexes
    }
}
