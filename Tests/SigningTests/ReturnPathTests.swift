import Model
import Testing
import Text

@testable import Signing

@Suite struct ReturnPathTests {
    private let keys: SigningKeys
    private let path: ReturnPath

    init() throws {
        keys = try SigningKeys([3: Secret(String(repeating: "a", count: 32))])
        path = try #require(ReturnPath("returns@example.com"))
    }

    private func address(_ message: ReturnedMessage, _ keys: SigningKeys) -> String {
        var out: [UInt8] = []
        #expect(path.append(mailing: message.mailing, batch: message.batch, index: message.index, keys: keys, to: &out))
        #expect(out.count == path.length)
        return String(decoding: out, as: UTF8.self)
    }

    @Test func anAddressNamesItsMessageInEitherCaseAndFitsIntoALocalPart() throws {
        var generator = SeededGenerator(seed: 7)
        let longest = try #require(ReturnPath(String(repeating: "b", count: ReturnPath.longestLocalPart) + "@example.com"))
        for _ in 0..<300 {
            let mailing = MailingID(milliseconds: .random(in: 1 << 40...1 << 41 - 1, using: &generator), using: &generator)
            let message = ReturnedMessage(
                mailing: "\(mailing)", batch: .random(in: 0..<1 << 20, using: &generator),
                index: .random(in: 0..<1 << 15, using: &generator))
            let address = address(message, keys)
            #expect(try ReturnPath.message(of: address, keys: keys) == message)
            #expect(try ReturnPath.message(of: address.uppercased(), keys: keys) == message)
            #expect(try ReturnPath.message(of: address.replacing("+", with: "-"), keys: keys) == message)
            var out: [UInt8] = []
            #expect(longest.append(mailing: message.mailing, batch: message.batch, index: message.index, keys: keys, to: &out))
            #expect(out.prefix { $0 != UInt8(ascii: "@") }.count == 64)
        }
    }

    @Test func oneThatWasChangedIsForged() throws {
        let message = ReturnedMessage(mailing: "0123456789abc", batch: 4, index: 7)
        let address = Array(address(message, keys).utf8)
        for place in 8..<8 + ReturnPath.tokenLength {
            var changed = address
            changed[place] = changed[place] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
            #expect(throws: TokenFault.self) { try ReturnPath.message(of: String(decoding: changed, as: UTF8.self), keys: keys) }
        }
        let others = try SigningKeys([3: Secret(String(repeating: "b", count: 32))])
        #expect(throws: TokenFault.forged) { try ReturnPath.message(of: String(decoding: address, as: UTF8.self), keys: others) }
        let newer = try SigningKeys([4: Secret(String(repeating: "b", count: 32))])
        #expect(throws: TokenFault.unknownKey(3)) { try ReturnPath.message(of: String(decoding: address, as: UTF8.self), keys: newer) }
    }

    @Test(arguments: ["", "@", "returns@example.com", "a+b@c", "+@", String(repeating: "0", count: 37), "ü+0123@example.com"])
    func anAddressWithoutATokenIsNobodys(_ address: String) throws { #expect(try ReturnPath.message(of: address, keys: keys) == nil) }

    @Test(arguments: [
        "a b@example.com", "@example.com", "a@", "a..b@example.com", "ü@example.com", String(repeating: "a", count: 27) + "@b.c",
    ])
    func whatNoTokenFitsIntoIsRefused(_ text: String) { #expect(ReturnPath(text) == nil) }

    @Test func aDomainHasTheUsualLocalPart() { #expect(ReturnPath("bounces.example.com")?.address == "bounces@bounces.example.com") }
}
