import Delivery
import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import Planning
import Policy
import Settings
import Signing
import Telemetry
import Templates
import Text
import Transport

/// Looks at everything that a mailing needs, and changes nothing.
struct MailingChecker {
    let settings: Settings
    let options: MailingFileOptions
    /// `--ledger` of the command; nil where it named none.
    var ledgerOption: String?
    private(set) var report = MailingCheckReport()
    private(set) var examination: MailingExamination

    init(_ options: MailingFileOptions, settings: Settings, ledgerOption: String?) {
        (self.options, self.settings, self.ledgerOption) = (options, settings, ledgerOption)
        examination = MailingExamination(
            options.file, overrides: options.overrides, providers: settings.providers, tracker: settings.tracker.publicAddresses)
        report.findings = examination.findings
    }

    /// - Parameters:
    ///   - connects: the provider is connected to, with its log-in.
    ///   - asksForSpam: SpamAssassin is asked for its score of the first message.
    mutating func run(connects: Bool, asksForSpam: Bool) async {
        let signs = checkSigning()
        let ledger = openLedger()
        if let ledger, let job = examination.prepared { await checkLedger(ledger, job) }
        let first = await checkRecipients(ledger)
        if let file = examination.file { report.findings += MailingLint.templates(file.mailing) }
        if signs, let first, let job = examination.prepared { look(at: job, first, asksForSpam: asksForSpam) }
        if connects, let job = examination.job { await connect(job.provider) }
    }

    /// Looks at messages as they are sent.
    private mutating func look(at job: PreparedJob, _ first: Recipients, asksForSpam: Bool) {
        do {
            let example = try MessageExample(job, .init(first), settings)
            report.findings += example.lint
            guard asksForSpam, job.mailing.channel == .email else { return }
            let score = try SpamScore(of: example.source)
            report.spam = score
            if let finding = score.finding { report.note(finding) }
        } catch {
            report.note(.init(.fault, "message", "\(error)"))
        }
    }

    // MARK: - Recipients and ledger

    /// The ledger for a look at its suppressions; nil where there is none, or none that is opened without a change.
    private mutating func openLedger() -> (any OpenLedger)? {
        if let path = settings.ledger.place.file {
            guard FileStatus(path: path) != nil else { return nil }
            do { try SQLiteLedger.requireCurrent(path) } catch {
                noteUnread("\(path) is of another release, or no ledger")
                return nil
            }
        }
        do { return try OpenLedgers.open(settings.ledger.place, logger: Logger(label: "flotilla")) } catch {
            noteUnread("\(error)")
            return nil
        }
    }

    private mutating func noteUnread(_ why: String) {
        report.note(
            .init(
                .warning, "ledger", why, why: "nobody is known to be suppressed, and no mailing to have been sent before",
                do: "flotilla doctor looks at the ledger"))
    }

    private mutating func checkLedger(_ ledger: any OpenLedger, _ job: PreparedJob) async {
        do throws(LedgerError) {
            let earlier = try await ledger.earlier(job.identity)
            if earlier.obstacle(.refuse) != nil {
                report.note(
                    .init(
                        .warning, "mailing", file: options.file, "it was sent before, or an earlier one has not ended",
                        why: "flotilla send and mailing add refuse it", do: "--only-new, --again, or a `key:` of its own"))
            }
            guard let category = job.mailing.category,
                let fault = KnownCategories(try await ledger.categories(), ledger: ledgerOption).fault(category)
            else { return }
            report.note(.init(.fault, "mailing", file: options.file, "category: \(fault)"))
        } catch { noteUnread("\(error)") }
    }

    /// - Returns: the first recipients; nil where there are none.
    private mutating func checkRecipients(_ ledger: (any OpenLedger)?) async -> Recipients? {
        guard examination.hasRecipients, let file = examination.file else { return nil }
        let job = examination.prepared
        let mailing = job?.mailing ?? Mailing(name: "", channel: file.mailing.channel, provider: "")
        do {
            var suppressed: RecipientCheck.Suppressed?
            if let ledger { suppressed = try await .init(in: ledger, for: file.mailing, source: file.recipients) }
            let check = try await RecipientCheck(
                file.recipients, mailing, job?.provider, suppressed: suppressed, now: Clock.milliseconds())
            report.recipients = .init(check, suppressionsChecked: ledger != nil)
            for key in check.ignored {
                report.note(
                    .init(
                        .warning, "recipients", file: file.recipients.file,
                        "key '\(key.name)' of row \(key.row) is not in the first objects and is ignored"))
            }
            if check.recipients == 0 {
                report.note(.init(.fault, "recipients", file: file.recipients.file, "every row is excluded: nobody would get the mailing"))
            }
            return check.first
        } catch let error as InputError {
            report.note(MailingFinding(error))
        } catch {
            report.note(.init(.fault, "recipients", file: file.recipients.file, "\(error)"))
        }
        return nil
    }

    // MARK: - Provider and keys

    /// - Returns: whether messages can be made.
    private mutating func checkSigning() -> Bool {
        guard let mailing = examination.file?.mailing, mailing.channel == .email, let path = settings.email.dkim else { return true }
        do throws(DKIMFolderError) {
            let folder = try DKIMFolder(reading: path)
            guard let domain = EmailComposer.senderDomain(of: mailing.from), DKIMKeys(folder.keys).signer(for: domain) == nil else {
                return true
            }
            report.note(
                .init(
                    .warning, "DKIM", "no key of \(path) signs for \(domain), the domain of From",
                    why: "large mailbox providers refuse bulk mail without an aligned signature",
                    do: "flotilla dkim generate \(domain), or let the provider sign"))
            return true
        } catch {
            report.note(.init(.fault, "DKIM", "\(error)", why: "workers do not start", do: "correct the folder, or email.dkim"))
            return false
        }
    }

    private mutating func connect(_ provider: Provider) async {
        do throws(TransportError) {
            _ = try await ProviderCheck.check(
                provider, hostname: settings.email.hostname, responses: settings.worker.responses,
                group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "flotilla") { _ in SwiftLogNoOpLogHandler() })
        } catch { report.note(.init(.fault, "provider", "\(error)", why: "nothing can be sent through it now")) }
    }
}
