import Delivery
import Foundation
import Ledger
import Model
import Planning
import Policy
import Settings
import Signing
import Telemetry
import Templates
import Text
import Transport

/// The message of one recipient, made as a worker makes it. Its links to the tracker, and the address that it comes back to, are signed by
/// a key that nobody else has: whoever follows them is counted nowhere, and unsubscribes nobody.
struct MessageExample {
    let mailing: Mailing
    let composer: MailingComposer
    private let recipients: Recipients
    private let index: Int
    private let batch: BatchID

    /// A server that understands what most do. What others get differs in the encoding of the texts alone.
    static let usualServer = ProviderCapabilities(eightBitMIME: true, smtpUTF8: false, maximumSize: nil)

    init(_ job: PreparedJob, _ found: RecipientSearch.Found, _ settings: Settings, test: TestMark? = nil) throws {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        var (mailing, recipients, index) = (job.headers.added(to: job.mailing, id: id), found.recipients, found.index)
        if let test { (mailing, recipients, index) = test.apply(to: mailing, recipients, index) }
        var setting = MailingComposer.Setting()
        if mailing.channel == .email, let folder = settings.email.dkim { setting.keys = DKIMKeys(try DKIMFolder(reading: folder).keys) }
        let random = (0..<4).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 16) + "................" }.joined()
        let keys = try SigningKeys([0: Secret(random)])
        if let rules = mailing.tracking, let addresses = settings.tracker.publicAddresses {
            setting.tracking = MessageTracking(
                base: addresses.url(ofSender: mailing.from), keys: keys, mailing: 0, rules, mailDomain: settings.email.unsubscribeDomain)
        }
        if let path = settings.email.returnPath { setting.returns = .init(path, keys: keys) }
        composer = try MailingComposer(id: id, mailing: mailing, provider: job.provider, setting)
        (self.mailing, self.recipients, self.index) = (mailing, recipients, index)
        batch = BatchID(mailing: id, number: found.batch)
    }

    /// The message as it goes to a provider.
    func group(for provider: ProviderCapabilities) -> MessageGroup {
        let source = MailingComposer.Source(recipients, batch: batch, date: Clock.milliseconds())
        return composer.group([OpenRecipient(index: index, attempts: 0)], of: source, for: provider)
    }

    /// The whole message as its reader's server stores it, or the body of the request.
    var source: [UInt8] {
        let group = group(for: Self.usualServer)
        guard let message = group.messages.first else { return [] }
        let bytes = group.bytes[message.body]
        return mailing.channel == .email ? MessageForm.unstuffed(bytes) : Array(bytes)
    }

    /// What its reader sees in a form; nil where it has none.
    func reading(_ form: MessageForm) -> [UInt8]? { composer.email?.reading(form, recipients, row: index, of: batch) }

    /// What the lint says of it and the others of its batch.
    var lint: [MailingFinding] { composer.email.map { MailingLint.messages(mailing, $0, recipients, of: batch) } ?? [] }
}

extension MailingFileOptions {
    /// The recipient that a command names, or the first.
    /// - Throws: `CommandError` where no message goes to such a one.
    func find(_ key: String?, in job: PreparedJob) throws -> RecipientSearch.Found {
        switch try RecipientSearch.find(key, in: job) {
        case .found(let found): return found
        case .excluded(let row):
            let why = row.detail.isEmpty ? row.reason.rawValue : "\(row.reason.rawValue), \(row.detail)"
            throw CommandError("\(key.map { "'\($0)'" } ?? "the first row") gets no message: row \(row.row) is excluded (\(why))")
        case .unknown:
            let id = job.source.id.isEmpty ? "" : ", and none in the column \(job.source.id)"
            throw CommandError(
                "\(job.source.file) has no '\(key ?? "")': no address in the column \(job.source.address)\(id) is the same")
        }
    }
}
