import Model
import Testing

@testable import Ledger

@Suite struct AddressHashTests {
    @Test func fingerprintsIgnoreOnlyTheCaseOfLetters() {
        #expect(AddressHash.of("Ann@Example.com".utf8) == AddressHash.of("ann@example.com".utf8))
        #expect(AddressHash.of("ann@example.com".utf8) != AddressHash.of("anm@example.com".utf8))
        // Test vectors of draft-eastlake-fnv, 32-bit FNV-1a.
        #expect(AddressHash.of("".utf8) == 0x811c_9dc5)
        #expect(AddressHash.of("a".utf8) == 0xe40c_292c)
        #expect(AddressHash.of("foobar".utf8) == 0xbf9c_f968)
    }
}
