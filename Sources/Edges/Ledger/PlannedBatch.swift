package import Model

/// A batch as it is planned: it never changes afterwards.
package struct PlannedBatch: Sendable {
    /// Its number within the mailing, from 0.
    package var number: Int
    /// The wire form of its `Recipients`.
    package var recipients: [UInt8]
    /// Recipients in it.
    package var count: Int
    /// The `AddressHash` of each recipient's address.
    package var fingerprints: [UInt32]
    /// By which it is sent; nil for that of its mailing.
    package var channel: Channel?

    package init(number: Int, recipients: [UInt8], count: Int, fingerprints: [UInt32]) {
        self.number = number
        self.recipients = recipients
        self.count = count
        self.fingerprints = fingerprints
    }

    /// Takes recipients whose first two values are id and address, as `Mailing.fields` demands.
    package init(number: Int, recipients: Recipients, channel: Channel? = nil) {
        let (ends, width) = (recipients.ends, recipients.width)
        let fingerprints = recipients.bytes.withUnsafeBufferPointer { bytes in
            stride(from: 1, to: ends.count, by: width).map { cell in
                AddressHash.of(UnsafeBufferPointer(rebasing: bytes[Int(ends[cell - 1])..<Int(ends[cell])]))
            }
        }
        self.init(
            number: number, recipients: recipients.encoded(), count: recipients.count, fingerprints: fingerprints)
        self.channel = channel
    }
}
