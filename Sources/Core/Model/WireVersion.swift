/// The version of the entries that Flotilla's processes exchange through Redis. It grows when an older process could misread a newer
/// entry. A batch of a version above `current` stays in its lane for a newer worker. A mailing whose definition has one, in the ledger too,
/// is left to a newer planner: the version grows whenever an older release would send such a mailing otherwise than it says
/// (`MailingDefinition` has its own). Of results what a newer worker adds at the end is passed over, and an entry of a newer version is a
/// dead letter: collectors are upgraded first.
package enum WireVersion {
    package static let current = 1

    /// Checks the version field of an entry; empty for an entry of release 0.1, which had none.
    /// - Parameter newest: the newest that this release reads of such an entry.
    package static func check(_ text: String, atMost newest: Int = current) throws(WireError) {
        guard !text.isEmpty else { return }
        guard let version = Int(text) else { throw WireError("its version '\(text.prefix(20))' is no number") }
        guard version <= newest else {
            throw WireError("its version \(version) is newer than \(newest), the newest this release reads", isNewer: true)
        }
    }
}
