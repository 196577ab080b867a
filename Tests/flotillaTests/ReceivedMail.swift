import Foundation
import TestServers

/// Takes mail by aiosmtpd, which we did not write, and keeps it as it came.
final class MailReceiver {
    struct Mail: Decodable {
        var from: String
        var to: [String]
        /// Byte for byte.
        var raw: String
    }

    private static let script = """
        import asyncio, json, sys
        from aiosmtpd.controller import Controller

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                raw = envelope.original_content.decode()
                print(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'raw': raw}), flush=True)
                return '250 2.0.0 Ok: queued as TEST1'

        controller = Controller(Handler(), hostname='127.0.0.1', port=int(sys.argv[1]), decode_data=False)
        controller.start()
        asyncio.new_event_loop().run_forever()
        """

    private let folder: TemporaryFolder
    private let process: ServerProcess
    let url: String

    init() async throws {
        guard let python = ProcessInfo.processInfo.environment["FLOTILLA_TEST_PYTHON"] else {
            throw MissingServer(program: "FLOTILLA_TEST_PYTHON (a python with aiosmtpd; deploy/test makes one)", package: "python3-venv")
        }
        folder = try TemporaryFolder()
        let port = try freePort()
        url = "smtp://127.0.0.1:\(port)"
        process = try ServerProcess(
            python, ["-u", try folder.write(Self.script, to: "receiver.py"), "\(port)"], package: "python3", output: folder.path("mails"),
            errors: folder.path("errors"))
        try await eventually("aiosmtpd listens") { canConnect(port) }
    }

    /// All that has come, by its recipients.
    func mails() throws -> [Mail] {
        try String(contentsOfFile: folder.path("mails"), encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Mail.self, from: Data($0.utf8)) }.sorted { $0.to.joined() < $1.to.joined() }
    }
}
