import Foundation

/// Sends mails by Python's smtplib.
package enum MailClient {
    private static let script = """
        import glob, smtplib, sys
        kind, port, sender, to = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
        client = (smtplib.LMTP if kind == "lmtp" else smtplib.SMTP)("127.0.0.1", port, timeout=60)
        codes = {}
        for name in sys.argv[5:]:
            for path in sorted(glob.glob(name)):
                text = open(path, "rb").read()
                try:
                    client.sendmail(sender, [to], text)
                    code = 250
                except smtplib.SMTPDataError as error:
                    code = error.smtp_code
                except smtplib.SMTPRecipientsRefused as error:
                    code = list(error.recipients.values())[0][0]
                codes[code] = codes.get(code, 0) + 1
        client.quit()
        print(" ".join(f"{code}={count}" for code, count in sorted(codes.items())))
        """

    /// - Parameters:
    ///   - kind: `smtp` or `lmtp`.
    ///   - files: of mails, or patterns of their names.
    /// - Returns: how many replies of each code there were, as `250=3 451=1`.
    package static func send(_ kind: String, port: Int, from sender: String = "", to: String, _ files: String...) async throws -> String {
        let folder = try TemporaryFolder()
        let client = try ServerProcess(
            "python3", ["-c", script, kind, "\(port)", sender, to] + files, package: "python3-venv", output: folder.path("out"),
            errors: folder.path("err"))
        // The server may be in this process, and needs its threads.
        try await eventually("the mails are sent") { !client.isRunning }
        guard client.wait() == 0 else { throw TimedOut(description: folder.text("err") ?? "") }
        return (folder.text("out") ?? "").split(separator: "\n").joined(separator: " ")
    }
}
