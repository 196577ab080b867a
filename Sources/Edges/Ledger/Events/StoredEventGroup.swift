import Model

/// The events of some neighbours of a batch, which stand in one row: a row for each recipient would be found and written a hundred times
/// more often. Only the events of those are unpacked who are asked for.
///
/// The packed form: a version byte; for each recipient with events, in their order, the place in the group, how many bytes follow (in 4
/// bytes, the highest first), and the packed events. `Schema.eventGroups` writes it too.
struct StoredEventGroup {
    /// Recipients of a group: the first one has those from 0 to 63.
    static let size = 64
    static let version: UInt8 = 1

    /// The packed events of each recipient; empty for none.
    private var packed = [ArraySlice<UInt8>](repeating: [], count: size)

    init() {}

    /// The number of a recipient's group in its batch.
    static func part(of index: Int) -> Int { index / size }

    /// The places of the recipients that have events.
    var places: [Int] { packed.indices.filter { !packed[$0].isEmpty } }

    var isEmpty: Bool { packed.allSatisfy(\.isEmpty) }

    /// - Throws: `SQLDamage` for what no ledger writes.
    func events(at place: Int) throws -> [StoredEvent] {
        packed[place].isEmpty ? [] : try [StoredEvent](packed: Array(packed[place]))
    }

    mutating func set(_ events: [StoredEvent], at place: Int) { set(packed: events.isEmpty ? [] : events.packed(), at: place) }

    mutating func set(packed bytes: [UInt8], at place: Int) { packed[place] = bytes[...] }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(packed.reduce(1) { $0 + $1.count + 5 })
        out.append(Self.version)
        for (place, bytes) in packed.enumerated() where !bytes.isEmpty {
            out.append(UInt8(place))
            withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { out += $0 }
            out += bytes
        }
        return out
    }

    /// - Throws: `SQLDamage` for what no ledger writes.
    init(_ bytes: [UInt8]) throws {
        guard bytes.first == Self.version else {
            throw SQLDamage("a group of recipients' events begins with \(bytes.first.map { "\($0)" } ?? "nothing")")
        }
        var position = 1
        var next = 0
        while position < bytes.count {
            guard position + 5 <= bytes.count else { throw SQLDamage("a group of recipients' events ends at byte \(bytes.count)") }
            let place = Int(bytes[position])
            let count = bytes[(position + 1)...(position + 4)].reduce(0) { $0 << 8 | Int($1) }
            position += 5
            guard (next..<Self.size).contains(place), count > 0, count <= bytes.count - position else {
                throw SQLDamage("a group of recipients' events has no recipient \(place) with \(count) bytes")
            }
            packed[place] = bytes[position..<(position + count)]
            position += count
            next = place + 1
        }
    }
}
