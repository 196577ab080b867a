package import Model

/// A mailing and its recipients as a person writes them down: a YAML file, with templates inside or in files beside it
/// (`docs/mailing-file.md`).
package struct MailingFile: Sendable, Equatable {
    package var mailing: Mailing
    package var recipients: RecipientSource
    /// When it starts, in milliseconds since 1970; nil starts it at once.
    package var start: Int64?
    /// What it is known by after an edit.
    package var identity: MailingIdentity
    /// Where the file names its provider, as `mailing.yaml:3:11`; nil where the command line does.
    package var providerPlace: String?
    /// Where it names its category; nil where it names none.
    package var categoryPlace: String?
    /// What it says of opens and clicks.
    package var tracking = Tracking()

    /// What a mailing file says of opens and clicks.
    package struct Tracking: Sendable, Equatable {
        /// Nil counts them where there is a tracker.
        package var isCounted: Bool?
        /// The campaign parameters of counted links, by `CampaignParameter`'s names.
        package var campaign: [String: String] = [:]
        /// The column that tells who objects; nil for none.
        package var unless: String?
        /// Where the file asks for what only a tracker can do; nil where it does not.
        package var place: String?
    }

    /// What the command line says in place of the file.
    package struct Overrides: Sendable {
        /// The file of recipients, relative to the working directory.
        package var recipients: String?
        package var provider: String?

        package init(recipients: String? = nil, provider: String? = nil) {
            self.recipients = recipients
            self.provider = provider
        }
    }

    /// Reads and checks a mailing's file and the templates it names; the recipients' file must exist, but is not read.
    /// `Mailing.fields` is left as it is made, since only the recipients' file knows the columns.
    /// - Throws: `MailingFileError` with everything that is wrong, not only the first.
    package static func load(_ path: String, overrides: Overrides = Overrides()) throws(MailingFileError) -> MailingFile {
        var check = try check(path, overrides)
        return try check.run()
    }

    /// Reads a mailing's file as `load` does, and gives what can be told of a mailing that has problems, too: with empty values where
    /// something is wrong, and nil where channel or recipients cannot be told.
    package static func examine(_ path: String, overrides: Overrides) -> (file: MailingFile?, problems: [MailingFileError.Problem]) {
        do throws(MailingFileError) {
            var check = try check(path, overrides)
            return (check.examine(), check.problems)
        } catch { return (nil, error.problems) }
    }

    private static func check(_ path: String, _ overrides: Overrides) throws(MailingFileError) -> MailingCheck {
        switch TextFile.read(path, limit: 4 << 20) {
        case .success(let text): return MailingCheck(document: try MailingDocument(text, path: path), overrides: overrides)
        case .failure(let fault):
            throw MailingFileError(problems: [
                .init(file: path, line: nil, column: nil, key: "", text: fault.description)
            ])
        }
    }
}
