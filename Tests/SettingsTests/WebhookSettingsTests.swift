import Foundation
import Model
import Receipts
import Testing
import Text

@testable import Settings

@Suite struct WebhookSettingsTests {
    /// The settings of a file; DEFINITION in it is the path of a definition.
    private func load(_ yaml: String, _ environment: [String: String] = [:], definition: String = "") throws(SettingsError) -> Settings {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-webhooks-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path()
        try? Data(definition.utf8).write(to: folder.appending(path: "own.yaml"))
        try? Data(yaml.replacing("DEFINITION", with: "\(path)/own.yaml").utf8).write(to: folder.appending(path: "flotilla.yaml"))
        return try Settings.load(file: "\(path)/flotilla.yaml", environment: environment)
    }

    private func refusal(_ yaml: String, definition: String = "") throws -> [String] {
        let error = #expect(throws: SettingsError.self) { try load(yaml, definition: definition) }
        return error?.problems.map { "\($0.key): \($0.text)" } ?? []
    }

    @Test func webhooksAreReadFromFileAndEnvironment() throws {
        let settings = try load(
            """
            tracker:
              webhooks:
                main: {kind: sendgrid}
                mail-2: {kind: ses, provider: "smtp://relay.example.com", topic: "arn:aws:sns:eu-west-1:1:t"}
            """,
            [
                "FLOTILLA_TRACKER_WEBHOOKS_MAIN_SECRET": "key", "FLOTILLA_TRACKER_WEBHOOKS_SMS_KIND": "twilio",
                "FLOTILLA_TRACKER_WEBHOOKS_SMS_SECRET": "token",
            ])
        let webhooks = settings.tracker.webhooks
        #expect(webhooks.keys.sorted() == ["mail-2", "main", "sms"])
        #expect(webhooks["main"]?.scheme == .sendGrid && webhooks["main"]?.secret?.exposed == "key" && webhooks["main"]?.provider == "main")
        #expect(webhooks["mail-2"]?.provider == "smtp://relay.example.com:25" && webhooks["mail-2"]?.topic == "arn:aws:sns:eu-west-1:1:t")
        #expect(webhooks["sms"]?.scheme == .twilio)
        #expect(!settings.differences.joined().contains("token"))
    }

    @Test func whatIsMissingOrUnknownIsRefused() throws {
        func one(_ text: String) throws -> [String] { try refusal("tracker: {webhooks: {main: {\(text)}}}") }
        #expect(try one("secret: x").first?.hasPrefix("tracker.webhooks.main.kind: is missing") == true)
        #expect(try one("kind: other, secret: x").first?.contains("'other' is not allowed; allowed: sendgrid, mailgun") == true)
        #expect(try one("kind: mailgun") == ["tracker.webhooks.main.secret: is missing; requests are verified with it"])
        #expect(try one("kind: ses").first?.hasPrefix("tracker.webhooks.main.topic: is missing") == true)
        #expect(try one("kind: mailgun, key: x").first?.contains("unknown key") == true)
        #expect(try refusal("tracker: {webhooks: {A: {kind: mailgun}}}").first?.contains("a webhook's name has 1 to 64") == true)
        #expect(try one("kind: ./nowhere.yaml, secret: x").first?.contains("there is no such file") == true)
    }

    private let yaml = "tracker: {webhooks: {own: {kind: DEFINITION, secret: word}}}"

    @Test func aFileDefinesAWebhook() throws {
        let definition = """
            form: json
            signature: {hmac: sha256, encoding: base64, in: header X-Signature, of: [header X-Time, text ., body]}
            signed_at: header X-Time
            window: 10m
            event: [type, kind]
            words:
              - {word: failed, kind: undelivered, when: error.type, is: [soft, slow]}
              - {word: failed, kind: bounced}
            provider_id: message.id
            provider_id_end: "-"
            message_id: headers.message-id
            recipient: to
            time: at
            detail: [error.text, error.code]
            machine: is_bot
            """
        let scheme = try #require(try load(yaml, definition: definition).tracker.webhooks["own"]?.scheme)
        #expect(
            scheme.signature
                == .hmac(.sha256, .base64, signature: .header("x-signature"), of: [.header("x-time"), .text("."), .body]))
        #expect(scheme.window == 600 && scheme.signedAt == .header("x-time") && scheme.word == ["type", "kind"])
        #expect(scheme.words.map(\.kind) == [.undelivered, .bounced] && scheme.words[0].values == ["soft", "slow"])
        let body = #"{"kind":"failed","message":{"id":"a-b"},"headers":{"message-id":"<x@y>"},"at":5,"error":{"type":"soft","code":7}}"#
        let receipt = try Webhook(WebhookRequest(headers: [:], body: Array(body.utf8)), by: scheme).receipts().first
        #expect(receipt?.kind == .undelivered && receipt?.providerID == "a" && receipt?.messageID == "x@y")
        #expect(receipt?.time == 5000 && receipt?.detail == "7")
    }

    @Test(arguments: [
        ("", "is empty"), ("event: a", "signature: is missing"), ("signature: basic\nevent: a", "words: is missing"),
        ("signature: basic\nevent: a\nwords: [{word: b, kind: seen}]\nmessage_id: c", "words.kind: 'seen' is not allowed"),
        ("signature: basic\nevent: a\nwords: [{word: b, kind: opened}]", "message_id: is missing"),
        ("signature: {hmac: md5, in: body, of: body}\nevent: a", "signature.hmac: 'md5' is not allowed"),
        ("signature: {hmac: sha1, in: heder X, of: body}\nevent: a", "signature.in: 'heder X' is not allowed"),
        ("signature: {token: nothing}\nevent: a", "signature.token: 'nothing' is not allowed"),
        ("signatur: basic", "signatur: unknown key; did you mean signature?"), ("[1]", "must be a section"),
    ]) func aBadDefinitionIsRefused(definition: String, words: String) throws {
        let found = try refusal(yaml, definition: definition)
        #expect(found.contains { $0.contains(words) }, "\(found)")
    }
}
