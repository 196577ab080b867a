import Model
import Signing
import Testing
import Text

@Suite struct TrackedLinkTests {
    private let keys: SigningKeys
    private let subject: TokenSubject
    private let link = TrackedLink(number: 300, target: Array("https://shop.example/?e=a%2Bb&x=1#top".utf8))

    init() throws {
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 40))])
        subject = try #require(TokenSubject(mailing: 7, batch: 8, index: 9))
    }

    private var path: [UInt8] {
        var path: [UInt8] = []
        link.append(subject, keys: keys, to: &path)
        return path
    }

    @Test func aLinkTellsItsTargetWithoutALookUp() throws {
        let (whom, read) = try TrackedLink.read(path, keys: keys)
        #expect(whom == subject)
        #expect(read == link)
    }

    @Test func aLinkWhoseTargetWasChangedLeadsNowhere() throws {
        let slash = try #require(path.firstIndex(of: UInt8(ascii: "/")))
        let payload = try #require(Base64URL.decode(path[(slash + 1)...]))
        for place in payload.indices {
            var changed = payload
            changed[place] ^= 1
            var forged = Array(path[...slash])
            Base64URL.append(changed, to: &forged)
            #expect(throws: TokenFault.forged) { try TrackedLink.read(forged, keys: keys) }
        }
    }

    @Test func theTokenOfAnotherPurposeMakesNoLink() throws {
        let payload = [0, 0] + Array("https://evil.example".utf8)
        for purpose in TokenPurpose.allCases where purpose != .click {
            var path: [UInt8] = []
            keys.appendToken(purpose, subject, payload: payload, to: &path)
            path.append(UInt8(ascii: "/"))
            Base64URL.append(payload, to: &path)
            #expect(throws: TokenFault.otherPurpose) { try TrackedLink.read(path, keys: keys) }
        }
    }

    @Test func pathsOfStrangersAreBounded() {
        #expect(throws: TokenFault.malformed) { try TrackedLink.read([UInt8](repeating: 65, count: 65_536), keys: keys) }
        #expect(throws: TokenFault.malformed) { try TrackedLink.read(path.prefix(27) + [UInt8(ascii: "/")], keys: keys) }
        var long = path + [UInt8](repeating: 65, count: 65_536)
        #expect(throws: TokenFault.malformed) { try TrackedLink.read(long, keys: keys) }
        long.removeAll()
        #expect(throws: TokenFault.malformed) { try TrackedLink.read(long, keys: keys) }
    }
}
