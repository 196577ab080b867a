package import Policy

/// The domains of recipients whose links were followed: a gateway looks at a message for all of its domain.
package protocol VisitDomainStore: Sendable {
    /// The domains of the recipients of some batches of a mailing, as numbers (`AddressHash` of the domain; 0 for none), in their order.
    /// Nothing for a channel without domains, and where the recipients are not kept.
    func domains(of mailing: UInt32, batches: Set<Int>) async throws(LedgerError) -> [Int: [UInt32]]

    /// How many recipients of a mailing each domain has. It reads all of its recipients.
    func domainSizes(of mailing: UInt32) async throws(LedgerError) -> [UInt32: Int]

    /// Notes that visits came with many others of their domain, and counts them anew, in one transaction.
    /// - Returns: how many events are others now.
    func mark(_ visits: [LinkVisit], _ rules: EventRules) async throws(LedgerError) -> Int
}
