import ArgumentParser
import Planning
import Settings
import Telemetry

/// Names a mailing file that is looked at before anything is sent.
struct MailingFileOptions: ParsableArguments {
    @Argument(help: "The mailing's file (YAML): docs/mailing-file.md.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(help: "The recipients' file, in place of the mailing's.") var recipients: String?

    @Option(help: "A provider of flotilla.yaml, or a URL.") var provider: String?

    func validate() throws { try ProviderArgument.check(provider) }

    var overrides: MailingFile.Overrides { .init(recipients: recipients, provider: provider) }

    /// The mailing as `send` prepares it.
    func prepare(_ settings: Settings) throws -> PreparedJob {
        var job = try MailingPreparation.prepare(
            MailingFile.load(file, overrides: overrides), providers: settings.providers, tracker: settings.tracker.publicAddresses)
        job.headers = settings.email.headers
        return job
    }
}
