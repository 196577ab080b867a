import Testing
import Text

@testable import Receipts

@Suite struct UsedTokensTests {
    private func use(_ token: UInt64, _ body: UInt64, until: Int64 = 100) -> UsedTokens.Use {
        .init(token: token, body: body, until: until)
    }

    @Test func aTokenCountsWithOneBody() {
        var used = UsedTokens()
        #expect(take(&used, use(1, 7), at: 0))
        // A provider sends again what was not answered.
        #expect(take(&used, use(1, 7), at: 50))
        #expect(!take(&used, use(1, 8), at: 50))
        #expect(take(&used, use(2, 8), at: 50))
        // Its time is up: such a request is refused for its age.
        #expect(take(&used, use(3, 9), at: 101))
        #expect(used.count == 1)
    }

    @Test func noMoreThanTheBoundAreKnown() {
        var used = UsedTokens()
        for token in 0..<UInt64(UsedTokens.most) + 10 { #expect(take(&used, use(token, 1), at: 0)) }
        #expect(used.count == UsedTokens.most)
        #expect(!take(&used, use(UInt64(UsedTokens.most) + 9, 2), at: 0))
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

    /// A mutating call has no place in an expectation.
    private func take(_ used: inout UsedTokens, _ use: UsedTokens.Use, at now: Int64) -> Bool { used.take(use, at: now) }
}
