/// Who a token is about, and which link: 77 of its 160 bits.
package struct TokenSubject: Sendable, Hashable {
    /// The mailing's number in the ledger.
    package let mailing: UInt32
    /// The number of the recipient's batch, below 2²⁰.
    package let batch: UInt32
    /// The recipient's place in the batch, below 2¹⁴: a mailing file allows batches of 10,000.
    package let index: UInt32
    /// The number of a short message's link, below 2⁶; 0 in tokens that are not for a `shortLink`.
    package let link: UInt32

    package static let batches: UInt32 = 1 << 20
    package static let indexes: UInt32 = 1 << 14
    package static let links: UInt32 = 1 << 6

    /// Nil for a number that a token has no room for.
    package init?(mailing: UInt32, batch: Int, index: Int, link: Int = 0) {
        guard 0..<Int(Self.batches) ~= batch, 0..<Int(Self.indexes) ~= index, 0..<Int(Self.links) ~= link else { return nil }
        (self.mailing, self.batch, self.index, self.link) = (mailing, UInt32(batch), UInt32(index), UInt32(link))
    }

    /// The same recipient's link; nil for a number that a token has no room for.
    package func with(link: UInt16) -> TokenSubject? {
        link < Self.links ? TokenSubject(mailing: mailing, place: place & ~UInt64(Self.links - 1) | UInt64(link)) : nil
    }

    /// The batch, the place and the link in 40 bits.
    var place: UInt64 { UInt64(batch) << 20 | UInt64(index) << 6 | UInt64(link) }

    init(mailing: UInt32, place: UInt64) {
        self.mailing = mailing
        batch = UInt32(place >> 20) & (Self.batches - 1)
        index = UInt32(place >> 6 & UInt64(Self.indexes - 1))
        link = UInt32(place & UInt64(Self.links - 1))
    }
}
