import Model
import Signing
import Testing
import Text

@Suite struct TokenTests {
    private let keys: SigningKeys
    private let subject: TokenSubject

    init() throws {
        keys = try SigningKeys([3: Self.secret("a")])
        subject = try #require(TokenSubject(mailing: 0xdead_beef, batch: 1_048_575, index: 16_383, link: 63))
    }

    private static func secret(_ letter: Character) -> Secret { Secret(String(repeating: letter, count: 32)) }

    private func token(_ purpose: TokenPurpose, _ subject: TokenSubject, payload: [UInt8] = []) -> [UInt8] {
        var out: [UInt8] = []
        keys.appendToken(purpose, subject, payload: payload, to: &out)
        return out
    }

    @Test(arguments: TokenPurpose.allCases) func aTokenHas27CharactersAndTellsWhomItIsAbout(_ purpose: TokenPurpose) throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let subject = try #require(
                TokenSubject(
                    mailing: .random(in: 0 ... .max, using: &generator), batch: .random(in: 0..<1 << 20, using: &generator),
                    index: .random(in: 0..<1 << 14, using: &generator), link: .random(in: 0..<64, using: &generator)))
            let token = token(purpose, subject)
            #expect(token.count == 27)
            #expect(try keys.verify(token, for: purpose) == subject)
        }
    }

    /// The digest of another implementation: `printf '%b' HEAD | openssl dgst -sha256 -mac HMAC -macopt key:aaaa…`.
    @Test func theDigestIsHMACSHA256() throws {
        let subject = try #require(TokenSubject(mailing: 1, batch: 2, index: 3))
        let bytes = try #require(Base64URL.decode(token(.open, subject)))
        #expect(Array(bytes[..<10]) == [0x23, 0, 0, 0, 1, 0, 0, 0x20, 0, 0xc0])
        #expect(bytes[10...].elementsEqual([0xb2, 0xa1, 0x57, 0x80, 0x66, 0x55, 0x00, 0x9b, 0xef, 0x33] as [UInt8]))
    }

    @Test func eachLinkOfARecipientHasATokenOfItsOwn() throws {
        let tokens = try (UInt16(0)..<64).map { link in
            let subject = try #require(subject.with(link: link))
            #expect((subject.mailing, subject.batch, subject.index) == (0xdead_beef, 1_048_575, 16_383))
            let token = token(.shortLink, subject)
            #expect(try keys.verify(token, for: .shortLink).link == UInt32(link))
            return token
        }
        #expect(Set(tokens).count == 64)
        #expect(subject.with(link: 64) == nil)
    }

    @Test func aTokenOfOnePurposeIsNoneOfAnother() {
        for purpose in TokenPurpose.allCases {
            let token = token(purpose, subject)
            for other in TokenPurpose.allCases where other != purpose {
                #expect(throws: TokenFault.otherPurpose) { try keys.verify(token, for: other) }
            }
        }
    }

    @Test func aTokenWithAnyBitChangedIsRefused() throws {
        let bytes = try #require(Base64URL.decode(token(.unsubscribe, subject)))
        for bit in 0..<160 {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            var text: [UInt8] = []
            Base64URL.append(changed, to: &text)
            #expect(throws: TokenFault.self) { try keys.verify(text, for: .unsubscribe) }
        }
    }

    @Test func eachTokenHasOneSpelling() {
        let token = token(.open, subject)
        var accepted = 0
        for last in UInt8.min...UInt8.max where (try? keys.verify(token.dropLast() + [last], for: .open)) != nil { accepted += 1 }
        #expect(accepted == 1)
        #expect(throws: TokenFault.malformed) { try keys.verify(token + "=".utf8, for: .open) }
    }

    @Test func textsThatAreNoTokensAreRefused() {
        let token = token(.open, subject)
        for length in [0, 1, 26, 28, 1000] {
            #expect(throws: TokenFault.malformed) { try keys.verify([UInt8](repeating: 65, count: length), for: .open) }
        }
        for length in 0..<27 { #expect(throws: TokenFault.malformed) { try keys.verify(token.prefix(length), for: .open) } }
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(throws: TokenFault.self) { try keys.verify(text, for: .open) }
        }
    }

    @Test func anOldKeyVerifiesAndTheNewestSigns() throws {
        let old = token(.open, subject)
        let both = try SigningKeys([3: Self.secret("a"), 4: Self.secret("b")])
        #expect(try both.verify(old, for: .open) == subject)
        var new: [UInt8] = []
        both.appendToken(.open, subject, to: &new)
        #expect(try both.verify(new, for: .open) == subject)
        #expect(throws: TokenFault.unknownKey(4)) { try keys.verify(new, for: .open) }
        let others = try SigningKeys([3: Self.secret("c")])
        #expect(throws: TokenFault.forged) { try others.verify(old, for: .open) }
        var chosen: [UInt8] = []
        try SigningKeys([3: Self.secret("a"), 4: Self.secret("b")], current: 3).appendToken(.open, subject, to: &chosen)
        #expect(chosen == old)
    }

    @Test func anAddressHasOnePseudonymForEachKey() throws {
        let address = Array("192.0.2.1".utf8)
        #expect(keys.pseudonym(of: address) == keys.pseudonym(of: address) && keys.pseudonym(of: address) != 0)
        #expect(keys.pseudonym(of: address) != keys.pseudonym(of: Array("192.0.2.2".utf8)))
        #expect(try SigningKeys([3: Self.secret("b")]).pseudonym(of: address) != keys.pseudonym(of: address))
    }

    @Test func aCheckValueTellsKeysApartAndNothingElse() throws {
        let both = try SigningKeys([3: Self.secret("a"), 4: Self.secret("b")])
        #expect(both.number == 4 && both.checkValues.keys.sorted() == [3, 4])
        #expect(both.checkValues[3] == keys.checkValues[3] && both.checkValues[3] != both.checkValues[4])
        #expect(both.checkValues.values.allSatisfy { $0.count == 8 })
    }

    @Test func numbersThatATokenHasNoRoomForMakeNone() {
        #expect(TokenSubject(mailing: 1, batch: 1 << 20, index: 0) == nil)
        #expect(TokenSubject(mailing: 1, batch: 0, index: 1 << 14) == nil)
        #expect(TokenSubject(mailing: 1, batch: 0, index: 0, link: 64) == nil)
        #expect(TokenSubject(mailing: 1, batch: -1, index: 0) == nil)
    }

    @Test func keysThatCannotBeUsedAreToldByTheirNumber() {
        #expect(throws: SigningKeysError.empty) { try SigningKeys([:]) }
        #expect(throws: SigningKeysError.number(32)) { try SigningKeys([32: Self.secret("a")]) }
        #expect(throws: SigningKeysError.key(1, .tooShort(5))) { try SigningKeys([1: Secret("short")]) }
        #expect(throws: SigningKeysError.noCurrent(2)) { try SigningKeys([1: Self.secret("a")], current: 2) }
        #expect(throws: SigningKeysError.noCurrent(900)) { try SigningKeys([1: Self.secret("a")], current: 900) }
    }
}
