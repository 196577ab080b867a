/// A packed entry of the receipts stream: receipts of one request of a provider, in its order.
package struct ReceiptBatch: Sendable, Equatable {
    package var receipts: [ProviderReceipt]

    /// Receipts of a batch at most.
    package static let most = 500

    package init(_ receipts: [ProviderReceipt]) { self.receipts = receipts }
}

/// The wire form: the version, the number of receipts, and each of them; numbers are varints (`PackedWriter`), texts stand behind their
/// lengths.
extension ReceiptBatch {
    /// The version of the wire form, its first byte.
    package static let version: UInt8 = 1

    private static let machineBit: UInt8 = 1 << 7

    /// The wire form. Texts are cut, and times clamped, to what the decoder takes.
    package func encoded() -> [UInt8] {
        var out = PackedWriter(capacity: receipts.count * 300)
        out.byte(Self.version)
        out.number(UInt64(receipts.count))
        for receipt in receipts {
            out.byte(receipt.kind.rawValue | (receipt.isMachine ? Self.machineBit : 0))
            out.number(receipt.time.map { UInt64(Self.clamped($0)) + 1 } ?? 0)
            out.number(UInt64(Self.clamped(receipt.arrived)))
            for text in receipt.texts {
                let bytes = Array(text.prefix(utf8Bytes: ProviderReceipt.textBytes).utf8)
                out.number(UInt64(bytes.count))
                out.append(bytes)
            }
        }
        return out.bytes
    }

    private static func clamped(_ time: Int64) -> Int64 { min(max(time, 0), WireLimit.time.upperBound) }

    /// Reads a wire form, which anybody may have written.
    package init(decoding wire: [UInt8]) throws(WireError) {
        var reader = PackedReader(wire)
        let version = try reader.byte()
        guard version == Self.version else {
            throw WireError("its version \(version) is not \(Self.version), which this release reads", isNewer: version > Self.version)
        }
        let count = Int(try reader.number(atMost: UInt64(Self.most)))
        receipts = []
        for _ in 0..<count {
            let head = try reader.byte()
            guard let kind = ProviderReceipt.Kind(rawValue: head & ~Self.machineBit) else { throw WireError("unknown kind \(head)") }
            var receipt = ProviderReceipt(kind, word: "")
            receipt.isMachine = head & Self.machineBit != 0
            let time = try reader.number(atMost: UInt64(WireLimit.time.upperBound) + 1)
            receipt.time = time == 0 ? nil : Int64(time - 1)
            receipt.arrived = Int64(try reader.number(atMost: UInt64(WireLimit.time.upperBound)))
            var texts: [String] = []
            for _ in 0..<ProviderReceipt.textCount {
                let length = Int(try reader.number(atMost: UInt64(ProviderReceipt.textBytes)))
                guard let text = String(validating: try reader.bytes(length), as: UTF8.self) else {
                    throw WireError("a text that is no UTF-8")
                }
                texts.append(text)
            }
            receipt.texts = texts
            receipts.append(receipt)
        }
        try reader.end()
    }
}

extension ProviderReceipt {
    fileprivate static let textCount = 7

    /// Its texts in the order of the wire form.
    fileprivate var texts: [String] {
        get { [word, webhook, provider, providerID, messageID, recipient, detail] }
        set {
            (word, webhook, provider, providerID, messageID, recipient, detail) =
                (newValue[0], newValue[1], newValue[2], newValue[3], newValue[4], newValue[5], newValue[6])
        }
    }
}
