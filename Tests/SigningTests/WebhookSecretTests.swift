import Testing
import Text

@testable import Signing

@Suite struct WebhookSecretTests {
    /// The example of the Standard Webhooks' own libraries.
    @Test func signsAsTheirExampleDoes() throws {
        let secret = try WebhookSecret(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.sign(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func aNewSecretIsReadAgain() throws {
        let secret = WebhookSecret.random()
        #expect(try WebhookSecret(secret.text).text == secret.text)
        #expect(secret.text != WebhookSecret.random().text)
        #expect(try WebhookSecret(Secret(secret.text.exposed + "\n")).text == secret.text)
    }

    @Test(arguments: [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "whsec_c2hvcnQ=",
        "whsec_" + String(repeating: "AAAA", count: 22),
    ])
    func refusesWhatIsNoSecret(text: String) {
        #expect(throws: WebhookSecretError()) { try WebhookSecret(Secret(text)) }
        #expect(!WebhookSecretError().description.contains("MfKQ"))
    }
}
