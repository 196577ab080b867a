import Ledger
import Logging
import Model
import Policy
import Synchronization

/// The providers of mailings, for the log: a request to pause does not say it, nor do results of older workers. The ledger is asked once a
/// mailing.
final class ProviderNames: Sendable {
    /// Mailings at most that are remembered.
    private static let most = 1_000

    private let known = Mutex<[MailingID: String]>([:])

    /// The fields by which a mailing's lines are found; without the provider where the ledger does not tell.
    func fields(of mailing: MailingID, in ledger: any MailingStore) async -> Logger.Metadata {
        var fields: Logger.Metadata = ["mailing": "\(mailing)"]
        if let name = await name(of: mailing, in: ledger) { fields["provider"] = "\(name)" }
        return fields
    }

    private func name(of mailing: MailingID, in ledger: any MailingStore) async -> String? {
        if let name = known.withLock({ $0[mailing] }) { return name }
        guard let record = try? await ledger.mailing(mailing) else { return nil }
        let name = ProviderURL.name(of: record.mailing.provider)
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[mailing] = name
        }
        return name
    }
}
