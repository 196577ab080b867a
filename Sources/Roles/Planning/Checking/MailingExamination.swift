package import Model
package import Policy
package import Templates

/// Everything that is wrong with a mailing file, its templates, its columns and its provider's name, found in one go. A fault of one part
/// does not hide those of the others. Nothing is written, and nobody is asked.
package struct MailingExamination: Sendable {
    package private(set) var findings: [MailingFinding] = []
    /// The mailing as it would be sent; nil where it has faults.
    package var job: PreparedJob? { findings.contains { $0.severity == .fault } ? nil : prepared }
    /// The mailing's file as far as it can be told, nil where it cannot.
    package private(set) var file: MailingFile?
    /// The recipients' file can be looked at.
    package private(set) var hasRecipients = false
    /// As far as it can be told: with stand-ins for the parts with faults.
    package private(set) var prepared: PreparedJob?
    /// The keys of the mailing file that have problems, without those inside of them.
    private var wrong: Set<String> = []

    /// - Parameters:
    ///   - providers: those that mailings may name.
    ///   - tracker: where links of messages can lead to; nil where there is no tracker.
    package init(
        _ path: String, overrides: MailingFile.Overrides, providers: [String: Provider], tracker: TrackerAddresses?
    ) {
        let (file, problems) = MailingFile.examine(path, overrides: overrides)
        findings = problems.map(MailingFinding.init)
        wrong = Set(problems.map { String($0.key.drop { $0 == "-" }.prefix { $0 != "." }) })
        self.file = file
        guard var file else { return }
        hasRecipients = !wrong.contains("recipients")
        guard hasRecipients else { return }
        let stand = file.mailing.channel == .email ? "smtp://127.0.0.1:9" : "http://127.0.0.1:9/"
        if wrong.contains("provider") { file.mailing.provider = stand }
        if wrong.contains("from") { file.mailing.from = "sender@example.invalid" }
        prepare(&file, stand: stand, providers, tracker)
    }

    /// Prepares the mailing again and again, each time with a stand-in for what was at fault the time before.
    private mutating func prepare(
        _ file: inout MailingFile, stand: String, _ providers: [String: Provider], _ tracker: TrackerAddresses?
    ) {
        var tracker = tracker
        // A provider and a tracker can be at fault, once each.
        for _ in 0..<3 {
            do {
                let job = try MailingPreparation.prepare(file, providers: providers, tracker: tracker)
                prepared = job
                findings += job.remarks.map { MailingFinding($0, .warning) }
                return
            } catch let missing as MissingTracker {
                note("mailing", "\(missing)")
                tracker = TrackerAddresses(url: "https://tracker.invalid")
            } catch let error as TemplateError {
                let problems = error.problems.filter { wrong.isEmpty || !$0.file.isEmpty }
                return findings += problems.map { MailingFinding($0, .fault) }
            } catch let error as InputError {
                hasRecipients = false
                return findings.append(MailingFinding(error))
            } catch {
                note("provider", "\(error)")
                file.mailing.provider = stand
            }
        }
    }

    private mutating func note(_ check: String, _ what: String) { findings.append(MailingFinding(.fault, check, what)) }
}

extension MailingFinding {
    fileprivate init(_ problem: MailingFileError.Problem) {
        self.init(
            .fault, "mailing", file: problem.file, line: problem.line, column: problem.column,
            (problem.key.isEmpty ? "" : problem.key + ": ") + problem.text)
    }

    /// A file of recipients that cannot be read.
    package init(_ error: InputError) {
        let place = [error.row.map { "row \($0)" }, error.column.map { "column '\($0)'" }].compactMap(\.self).joined(separator: ", ")
        self.init(.fault, "recipients", file: error.file, line: error.line, (place.isEmpty ? "" : place + ": ") + error.problem)
    }
}
