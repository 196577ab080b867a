import NIOCore
import Testing
import Text

@testable import Model
@testable import Transport

@Suite struct SMTPDialogueOpeningTests {
    /// What the client said, and where the dialogue is then.
    private struct Talk: ~Copyable {
        var said: [String] = []
        var dialogue: SMTPDialogue
    }

    /// Feeds replies one by one and collects what the client says.
    private func talk(_ replies: [String]) -> Talk { talk(.plain, replies) }

    private func talk(
        _ settings: SMTPDialogue.Settings, isEncrypted: Bool = false, _ replies: [String]
    ) -> Talk {
        var talk = Talk(dialogue: SMTPDialogue(settings, isEncrypted: isEncrypted))
        for reply in replies {
            var out = ByteBuffer()
            talk.dialogue.receive(Array(reply.utf8).span, into: &out)
            if talk.dialogue.signals.contains(.startTLS) {
                talk.dialogue.signals.remove(.startTLS)
                talk.dialogue.tlsStarted(into: &out)
                talk.said.append("(TLS)")
            }
            talk.said.append(String(buffer: out))
        }
        return talk
    }

    private func credentials(isLoopback: Bool = false, startTLS: Provider.StartTLS = .opportunistic)
        -> SMTPDialogue.Settings
    {
        .init(
            hostname: "client.example.com", username: "user", password: Secret("pass"), startTLS: startTLS,
            isLoopback: isLoopback)
    }

    @Test func capabilitiesAreRead() {
        let talk = self.talk([
            "220 hi\r\n",
            "250-server\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8bitmime\r\n250-SMTPUTF8\r\n250-AUTH PLAIN LOGIN\r\n250 X\r\n",
        ])
        #expect(talk.said == ["EHLO client.example.com\r\n", ""])
        #expect(
            talk.dialogue.capabilities.provider
                == ProviderCapabilities(eightBitMIME: true, smtpUTF8: true, maximumSize: 1000))
        #expect(talk.dialogue.capabilities.pipelining && talk.dialogue.capabilities.mechanisms == [.plain, .login])
        #expect(talk.dialogue.signals == .ready)
    }

    @Test func aServerWithoutEHLOGetsHELO() {
        let talk = self.talk(["220 hi\r\n", "502 5.5.1 what?\r\n", "250 ok\r\n"])
        #expect(talk.said == ["EHLO client.example.com\r\n", "HELO client.example.com\r\n", ""])
        #expect(talk.dialogue.signals == .ready && talk.dialogue.capabilities == SMTPCapabilities())
    }

    @Test func whatWasSentInClearBehindTheConsentToTLSIsForgotten() {
        let talk = self.talk([
            "220 hi\r\n", "250-server\r\n250 STARTTLS\r\n",
            "220 go\r\n250-evil\r\n250-AUTH PLAIN\r\n250 PIPELINING\r\n250 half a li",
            "250-server\r\n250 SIZE 5\r\n",
        ])
        #expect(
            talk.said == ["EHLO client.example.com\r\n", "STARTTLS\r\n", "(TLS)", "EHLO client.example.com\r\n", ""])
        #expect(talk.dialogue.signals == .ready)
        #expect(!talk.dialogue.capabilities.pipelining && talk.dialogue.capabilities.maximumSize == 5)
    }

    @Test func requiredTLSIsNeverDoneWithout() {
        var settings = credentials()
        settings.startTLS = .required
        let absent = talk(settings, ["220 hi\r\n", "250 server\r\n"])
        #expect(absent.dialogue.failure?.action == .pauseMailing && absent.dialogue.failure?.stage == .tls)
        let refused = talk(settings, ["220 hi\r\n", "250-server\r\n250 STARTTLS\r\n", "454 4.7.0 no\r\n"])
        #expect(refused.dialogue.failure?.action == .slowDown && refused.dialogue.failure?.stage == .tls)
    }

    @Test func opportunisticTLSGoesOnWithoutAndNeverIsNever() {
        let replies = ["220 hi\r\n", "250-server\r\n250 STARTTLS\r\n", "454 4.7.0 no\r\n"]
        let refused = talk(replies)
        #expect(refused.said[1] == "STARTTLS\r\n" && refused.dialogue.signals == .ready)
        var settings = SMTPDialogue.Settings.plain
        settings.startTLS = .never
        #expect(talk(settings, Array(replies.prefix(2))).dialogue.signals == .ready)
    }

    @Test func aPasswordGoesNowhereInClearButToThisMachine() {
        let replies = ["220 hi\r\n", "250-server\r\n250 AUTH PLAIN\r\n"]
        let far = talk(credentials(), replies)
        #expect(far.dialogue.failure?.action == .pauseMailing && far.dialogue.failure?.stage == .auth)
        #expect(far.said.last == "")
        #expect(talk(credentials(isLoopback: true), replies).said.last == "AUTH PLAIN AHVzZXIAcGFzcw==\r\n")
        #expect(talk(credentials(), isEncrypted: true, replies).said.last == "AUTH PLAIN AHVzZXIAcGFzcw==\r\n")
    }

    @Test func loginIsSpokenWherePlainIsNot() {
        let talk = self.talk(
            credentials(), isEncrypted: true,
            [
                "220 hi\r\n", "250-server\r\n250 AUTH=LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n",
                "235 ok\r\n",
            ])
        #expect(talk.said.suffix(4) == ["AUTH LOGIN\r\n", "dXNlcg==\r\n", "cGFzcw==\r\n", ""])
        #expect(talk.dialogue.signals == .ready)
    }

    @Test(arguments: ["504 5.5.4 unrecognized authentication type", "534 5.7.9 too weak", "535 5.7.8 no", "500 5.5.1 what?"])
    func aMechanismThatIsRefusedIsFollowedByTheNextThatIsOffered(_ refusal: String) {
        let talk = self.talk(
            credentials(), isEncrypted: true,
            [
                "220 hi\r\n", "250-server\r\n250 AUTH CRAM-MD5 LOGIN PLAIN\r\n", "\(refusal)\r\n", "334 VXNlcm5hbWU6\r\n",
                "334 UGFzc3dvcmQ6\r\n", "235 ok\r\n",
            ])
        #expect(talk.said.dropFirst() == ["AUTH PLAIN AHVzZXIAcGFzcw==\r\n", "AUTH LOGIN\r\n", "dXNlcg==\r\n", "cGFzcw==\r\n", ""])
        #expect(talk.dialogue.signals == .ready)
    }

    @Test func whereAllMechanismsAreRefusedTheLastRefusalIsTold() {
        let talk = self.talk(
            credentials(), isEncrypted: true,
            [
                "220 hi\r\n", "250-server\r\n250 AUTH PLAIN LOGIN\r\n", "504 5.5.4 not this one\r\n", "334 VXNlcm5hbWU6\r\n",
                "334 UGFzc3dvcmQ6\r\n", "535 5.7.8 bad credentials\r\n",
            ])
        #expect(
            talk.dialogue.failure?.code == 535 && talk.dialogue.failure?.stage == .auth && talk.dialogue.failure?.action == .pauseMailing)
    }

    @Test func aLongSecretWaitsForItsLine() {
        var settings = credentials()
        settings.password = Secret(String(repeating: "p", count: 600))
        let talk = self.talk(
            settings, isEncrypted: true, ["220 hi\r\n", "250-server\r\n250 AUTH PLAIN\r\n", "334 \r\n", "235 ok\r\n"])
        #expect(talk.said[1] == "AUTH PLAIN\r\n" && talk.said[2].utf8.count > 800)
        #expect(talk.dialogue.signals == .ready)
    }

    @Test(arguments: [
        (["554 5.7.1 blocked\r\n"], ResponseAction.pauseMailing, DeliveryStage.greeting),
        (["421 4.3.2 busy\r\n"], .slowDown, .greeting),
        (["450 later\r\n"], .slowDown, .greeting),
        (["SSH-2.0-OpenSSH_9.2\r\n"], .reconnect, .greeting),
        (["220 hi\r\n", "250-server\r\n250 AUTH PLAIN\r\n", "535 5.7.8 bad credentials\r\n"], .pauseMailing, .auth),
        (["220 hi\r\n", "250-server\r\n250 AUTH PLAIN\r\n", "454 4.7.0 later\r\n"], .slowDown, .auth),
        (["220 hi\r\n", "250-server\r\n250 AUTH CRAM-MD5\r\n"], .pauseMailing, .auth),
    ])
    func refusalsOfUsSayWhereAndWhat(_ replies: [String], _ action: ResponseAction, _ stage: DeliveryStage) {
        let talk = self.talk(credentials(isLoopback: true), replies)
        #expect(talk.dialogue.failure?.action == action && talk.dialogue.failure?.stage == stage)
        let provider = Provider(name: "p", scheme: .smtp, host: "mail.example.com", port: 25)
        let text = talk.dialogue.failure?.error(of: provider).description ?? ""
        #expect(text.hasPrefix("provider 'p' at mail.example.com:25: "))
        #expect(!text.contains("pass==") && !text.contains("AHVzZXIAcGFzcw"))
    }
}
