/// How much of visitors' addresses is kept with what they did.
package enum AddressKeeping: String, Sendable, CaseIterable {
    case none
    /// The network: 24 bits of an IPv4 address, 48 of an IPv6 address.
    case truncated
    case full
}
