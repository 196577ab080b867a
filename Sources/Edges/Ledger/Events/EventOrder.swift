import Model

/// Where an event is in the order in which rows are written: by batch and recipient, and then as they came. A number, which is sorted fast.
struct EventOrder: Comparable {
    /// 20 bits of the batch, 14 of the place in it, 24 of the event.
    private let bits: UInt64

    /// Events at most that are told apart.
    static let most = 1 << 24

    /// - Parameter event: its place among the events that are ordered, below `most`.
    init(_ visit: TrackedEvent, _ event: Int) {
        bits = Self.recipient(batch: Int(visit.batch), index: Int(visit.index)) << 24 | UInt64(event)
    }

    /// Says which recipient of a mailing it is.
    static func recipient(batch: Int, index: Int) -> UInt64 { UInt64(clamping: batch) << 14 | UInt64(clamping: index) & 0x3fff }

    /// Where the recipient is that `recipient` says.
    static func place(of recipient: UInt64) -> (batch: Int, index: Int) { (Int(recipient >> 14), Int(recipient & 0x3fff)) }

    var recipient: UInt64 { bits >> 24 }
    var batch: Int { Int(bits >> 38) }
    var index: Int { Int(bits >> 24 & 0x3fff) }
    var event: Int { Int(bits & 0xff_ffff) }
    /// Says which row of counted events it belongs to (`StoredEventGroup`).
    var group: UInt64 { UInt64(batch) << 8 | UInt64(StoredEventGroup.part(of: index)) }

    static func < (left: EventOrder, right: EventOrder) -> Bool { left.bits < right.bits }
}
