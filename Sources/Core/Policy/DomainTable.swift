package import Model
import Text

/// Finds the entry of `domains:` that an e-mail address belongs to: the one that names its domain, else the one with the longest
/// `*.` above it. A look takes one pass over the domain and allocates nothing.
package struct DomainTable: Sendable {
    /// The scopes of the entries, in the order they were given.
    package let scopes: [LimitScope]
    /// An open hash table; a power of two of slots, at most half of them used. Empty when there are no entries.
    private var slots: [Slot] = []
    /// The patterns one after another: a domain as it is, or what stands behind the `*`, with its dot.
    private var bytes: [UInt8] = []

    private struct Slot {
        var hash: UInt64
        /// Where the pattern lies in `bytes`.
        var start: Int32
        var count: Int32
        /// -1: free.
        var entry: Int32
    }

    /// Where two entries have the same pattern, the first one has it.
    package init(_ domains: [DomainLimit]) {
        scopes = domains.map { .domain($0.name) }
        let patterns = domains.enumerated().flatMap { entry, domain in domain.names.map { (entry: entry, text: $0) } }
        guard !patterns.isEmpty else { return }
        var size = 4
        while size < patterns.count * 2 { size *= 2 }
        slots = Array(repeating: Slot(hash: 0, start: 0, count: 0, entry: -1), count: size)
        for (entry, text) in patterns { add(Array((text.hasPrefix("*.") ? text.dropFirst() : text[...]).utf8), entry) }
    }

    /// The place in `scopes` of an address's entry; nil for none.
    /// - Parameter address: UTF-8; its domain is what stands behind the last `@`, in whatever case.
    package func entry(of address: UnsafeBufferPointer<UInt8>) -> Int? {
        if slots.isEmpty { return nil }
        var found: Int32 = -1
        var hash = FNV.seed64
        var index = address.count
        // From the end, so that each suffix's hash is known on the way, and a longer one comes later.
        while index > 0 {
            let byte = address[index - 1]
            if byte == UInt8(ascii: "@") {
                let exact = look(hash, address, from: index)
                return exact >= 0 ? Int(exact) : found >= 0 ? Int(found) : nil
            }
            if byte >= 0x80 { return international(address) }
            index -= 1
            hash = FNV.step(hash, byte.lowercased)
            if byte == UInt8(ascii: ".") {
                let suffix = look(hash, address, from: index)
                if suffix >= 0 { found = suffix }
            }
        }
        return nil
    }

    /// The entry of an address whose domain is beyond ASCII, by its A-labels.
    private func international(_ address: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let domain = EmailAddress.asciiDomain(of: String(decoding: address, as: UTF8.self)) else { return nil }
        return Array("@\(domain)".utf8).withUnsafeBufferPointer(entry)
    }

    /// The scope of an address; nil for none.
    package func scope(of address: String) -> LimitScope? {
        if slots.isEmpty { return nil }
        var address = address
        return address.withUTF8(entry).map { scopes[$0] }
    }

    private mutating func add(_ pattern: [UInt8], _ entry: Int) {
        let hash = pattern.reversed().reduce(FNV.seed64) { FNV.step($0, $1.lowercased) }
        guard pattern.withUnsafeBufferPointer({ look(hash, $0, from: 0) }) < 0 else { return }
        var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[place].entry >= 0 { place = (place + 1) & (slots.count - 1) }
        slots[place] = Slot(hash: hash, start: Int32(bytes.count), count: Int32(pattern.count), entry: Int32(entry))
        bytes += pattern
    }

    /// The entry with the pattern `text[from...]`; -1 for none.
    @inline(__always)
    private func look(_ hash: UInt64, _ text: UnsafeBufferPointer<UInt8>, from: Int) -> Int32 {
        var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[place].entry >= 0 {
            let slot = slots[place]
            if slot.hash == hash, Int(slot.count) == text.count - from,
                (0..<Int(slot.count)).allSatisfy({ bytes[Int(slot.start) + $0] == text[from + $0].lowercased })
            {
                return slot.entry
            }
            place = (place + 1) & (slots.count - 1)
        }
        return -1
    }
}
