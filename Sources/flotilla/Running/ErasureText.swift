import Ledger
import Model
import Telemetry

/// What an erasure did, for people and for scripts.
struct ErasureText {
    /// The output for scripts.
    struct JSON: Encodable {
        struct Left: Encodable {
            let mailing: String
            let name: String
            let state: String
        }

        let recipients: Int
        let excluded: Int
        let deadLetters: Int
        let customers: Int
        let suppressionsRemoved: Int
        let suppressionsLeft: Int
        /// Recipients that were left as a whole.
        let open: [Left]
        /// Ids of mailings whose recipients' files are still to be read.
        let unplanned: [String]
    }

    /// Mailings that are named at most.
    private static let mostNamed = 10

    private let erasure: Erasure
    private let names: [MailingID: String]
    private let hint: String

    /// - Parameter hint: the option that names the ledger, with a space before.
    init(_ erasure: Erasure, in ledger: any OpenLedger, hint: String) async throws {
        self.erasure = erasure
        self.hint = hint
        var names: [MailingID: String] = [:]
        for id in Set(erasure.open.map(\.mailing)) { names[id] = try await ledger.mailing(id)?.mailing.name }
        self.names = names
    }

    var json: JSON {
        JSON(
            recipients: erasure.recipients, excluded: erasure.excluded, deadLetters: erasure.letters, customers: erasure.customers,
            suppressionsRemoved: erasure.suppressions, suppressionsLeft: erasure.suppressed.count,
            open: erasure.open.map { JSON.Left(mailing: "\($0.mailing)", name: names[$0.mailing] ?? "", state: $0.state.name) },
            unplanned: erasure.unplanned.map(\.description))
    }

    var done: String {
        var parts = [counted(erasure.recipients, "recipient")]
        if erasure.excluded > 0 { parts.append(counted(erasure.excluded, "excluded row")) }
        if erasure.letters > 0 { parts.append(counted(erasure.letters, "dead letter")) }
        if erasure.customers > 0 { parts.append(counted(erasure.customers, "customer")) }
        if erasure.suppressions > 0 { parts.append(counted(erasure.suppressions, "suppression")) }
        let isNothing =
            erasure.recipients + erasure.excluded + erasure.letters + erasure.customers + erasure.suppressions
            + erasure.open.count == 0
        guard !isNothing else { return "nothing to erase: no recipient, no excluded row and no customer has this address" }
        return "erased: \(parts.joined(separator: ", "))"
    }

    /// Lines about what stays.
    var left: [String] {
        var lines: [String] = []
        for (id, open) in Dictionary(grouping: erasure.open, by: \.mailing).sorted(by: { $0.key > $1.key }) {
            let name = "mailing \(id) '\(LogText.line(names[id] ?? ""))'"
            if open.contains(where: { $0.state == .uncertain }) {
                lines.append(
                    """
                    not erased: \(name) holds the recipient as uncertain; decide (flotilla mailing uncertain \(id)\(hint) --settle failed \
                    --recipient ADDRESS), and erase again
                    """)
            }
            if open.contains(where: { $0.state != .uncertain }) {
                lines.append(
                    """
                    not erased: \(name) is still to be sent to the recipient; wait for its end or stop it (flotilla mailing stop \
                    \(id)\(hint)), and erase again
                    """)
            }
        }
        if !erasure.suppressed.isEmpty {
            lines.append(
                """
                \(counted(erasure.suppressed.count, "suppression")) of the address \(erasure.suppressed.count == 1 ? "stays" : "stay"), so \
                that it is not sent to again; --with-suppressions removes \(erasure.suppressed.count == 1 ? "it" : "them")
                """)
        }
        if !erasure.unplanned.isEmpty {
            let ids = erasure.unplanned.prefix(Self.mostNamed).map(\.description).joined(separator: ", ")
            let more = erasure.unplanned.count > Self.mostNamed ? " and \(erasure.unplanned.count - Self.mostNamed) more" : ""
            lines.append(
                """
                not planned yet: \(ids)\(more). If the address is in their recipients' files, take it out of them, or erase again when \
                they have ended
                """)
        }
        return lines
    }
}
