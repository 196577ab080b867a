import Testing
import Text

@testable import Receipts

@Suite struct UsedTokensTests {
    private func use(_ token: UInt64, _ body: UInt64, until: Int64 = 100) -> UsedTokens.Use {
        .init(token: token, body: body, until: until)
    }

    @Test func aTokenCountsWithOneBody() {
        var used = UsedTokens()
        #expect(used.take(use(1, 7), at: 0) == true)
        // A provider sends again what was not answered.
        #expect(used.take(use(1, 7), at: 50) == true)
        #expect(used.take(use(1, 8), at: 50) == false)
        #expect(used.take(use(2, 8), at: 50) == true)
        // Its time is up: such a request is refused for its age.
        #expect(used.take(use(3, 9), at: 101) == true && used.count == 1)
    }

    @Test func noMoreThanTheBoundAreKnown() {
        var used = UsedTokens()
        for token in 0..<UInt64(UsedTokens.most) + 10 { #expect(used.take(use(token, 1), at: 0) == true) }
        #expect(used.count == UsedTokens.most)
        #expect(used.take(use(UInt64(UsedTokens.most) + 9, 2), at: 0) == false)
    }

    @Test func mailgunsSignatureIsOfOneBody() throws {
        func webhook(_ event: String, token: String = "a", scheme: ProviderScheme = .mailgun) throws -> Webhook {
            let body = #"{"signature":{"timestamp":"1529006854","token":"\#(token)"},"event-data":{"event":"\#(event)"}}"#
            return try Webhook(WebhookRequest(headers: [:], body: Array(body.utf8)), by: scheme)
        }
        let key = Secret("key")
        let first = try #require(try webhook("opened").use(secret: key, of: "hook"))
        #expect(try webhook("opened").use(secret: key, of: "hook") == first && first.until == 1_529_006_854 + 30_000)
        let other = try #require(try webhook("complained").use(secret: key, of: "hook"))
        #expect(other.token == first.token && other.body != first.body)
        #expect(try webhook("opened", token: "b").use(secret: key, of: "hook")?.token != first.token)
        #expect(try webhook("opened").use(secret: key, of: "another")?.token != first.token)
        #expect(throws: WebhookFault.malformed("no token of its signature")) {
            try webhook("opened", token: "").use(secret: key, of: "hook")
        }
        // Its signature covers the body.
        #expect(try webhook("opened", scheme: .sendGrid).use(secret: key, of: "hook") == nil)
    }
}
