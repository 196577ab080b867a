import ArgumentParser
import CommandSupport
import Delivery
import Foundation
import Logging
import Model
import NIOPosix
import Planning
import Policy
import Settings
import Telemetry
import Transport

extension MailingCommand {
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Send one real message of a mailing to an address of your own.",
            discussion: """
                The message is that of a recipient, with \(TestMark.mark)before its subject (of an SMS: its text). It is sent at once, and \
                stands in no ledger and no count; its links lead straight to their targets, and those to the tracker are not valid. \
                The exit status is 0 where the provider accepts it, and 1 where it does not.
                """)
        @OptionGroup var options: MailingFileOptions
        @Option(help: "The configuration file; ./flotilla.yaml where it exists.") var config: String?
        @Option(help: "The address that gets it.") var to: String
        @Option(help: "Whose message it is: an address of the list, or a value of its id column; the first recipient by itself.")
        var recipient: String?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if recipient?.isEmpty == true { throw ValidationError("--recipient '' names nobody") }
            if to.isEmpty { throw ValidationError("--to '' names nobody") }
        }

        private struct Answer: Encodable {
            let to: String
            let provider: String
            let accepted: Bool
            let code: Int
            let text: String
            let reason: String
        }

        func run() async throws {
            output.warnOfOldOption()
            let settings = try Settings.loadWithWarnings(file: config)
            let job = try options.prepare(settings)
            let address = try address(job)
            let example = try MessageExample(job, options.find(recipient, in: job), settings, test: TestMark(address: address))
            if job.mailing.channel != .email { try Self.check(example, goesTo: address) }
            let logger = Logger(label: "flotilla") { _ in SwiftLogNoOpLogHandler() }
            let response = try await SingleDelivery.send(
                to: job.provider, hostname: settings.email.hostname, responses: settings.worker.responses,
                group: MultiThreadedEventLoopGroup.singleton, logger: logger
            ) { example.group(for: $0) }
            guard let response else { throw CommandError("provider \(job.provider.name) took no message; nothing was sent") }
            let isAccepted = response.action == .accept
            if output.isJSON {
                let answer = Answer(
                    to: address, provider: job.provider.name, accepted: isAccepted, code: response.code, text: response.text,
                    reason: response.reason.rawValue)
                StandardOutput.write(json: try ScriptJSON.text(answer))
            } else {
                let words = [response.code > 0 ? "\(response.code)" : "", response.text].filter { !$0.isEmpty }.joined(separator: " ")
                StandardOutput.write(
                    isAccepted
                        ? "accepted by \(job.provider.name) for \(address): \(words)"
                        : "not accepted by \(job.provider.name) for \(address) (\(response.reason.rawValue)): \(words)")
            }
            if !isAccepted { throw ExitCode(.failed) }
        }

        /// The normal form of `--to`.
        private func address(_ job: PreparedJob) throws -> String {
            guard job.mailing.channel != .webhook else {
                throw CommandError("a webhook goes where its provider says, to nobody's address: flotilla mailing preview shows it")
            }
            var normal: [UInt8] = []
            do throws(NormalAddress.Fault) {
                _ = try Array(to.utf8).withUnsafeBufferPointer { bytes throws(NormalAddress.Fault) in
                    try NormalAddress.append(
                        bytes, job.mailing.channel, country: job.source.country.flatMap { PhoneCountry($0) }, to: &normal)
                }
            } catch { throw CommandError("--to '\(to)': \(error.description)") }
            return String(decoding: normal, as: UTF8.self)
        }

        /// Makes sure that a gateway is told of nobody else: its body may name another column than that of the address.
        private static func check(_ example: MessageExample, goesTo address: String) throws {
            let name = address.utf8.drop { !(0x30...0x39 ~= $0 || $0 >= 0x41) }
            guard !name.isEmpty, example.source.firstRange(of: name) == nil else { return }
            throw CommandError(
                "the body of the provider does not name {{address}}, so that a test would go to somebody else; nothing was sent")
        }
    }
}
