import Testing

@testable import Text

@Suite struct AddressSearchTests {
    @Test(arguments: [
        ("550 <ANN@Example.com> is unknown", "550 <(erased)> is unknown"), ("ann@example.com", "(erased)"),
        ("to=ann@example.com.", "to=(erased)."), ("ann@example.com, ann@example.com", "(erased), (erased)"),
        ("(ann@example.com)", "((erased))"), ("x --ann@example.com", "x --(erased)"),
    ])
    func anAddressIsTakenOutOfATextWhereverItStands(_ text: String, _ without: String) {
        #expect(AddressSearch(["Ann@example.com"]).removed(from: text) == without)
    }

    @Test(arguments: [
        "", "ann", "joann@example.com", "jo.ann@example.com", "jo-ann@example.com", "ann@example.com.au", "ann@example.company",
        "Zöann@example.com", "ann@example.co",
    ])
    func anotherOneIsLeft(_ text: String) {
        let search = AddressSearch(["ann@example.com"])
        #expect(search.removed(from: text) == nil && !search.isMeant(by: text))
    }

    @Test func aTelephoneNumberIsKnownInItsSpellings() {
        let search = AddressSearch(["+491701234567"])
        for text in ["0170 1234567", "+49 (170) 123-45-67", "0049 170 1234567", " +491701234567 "] {
            #expect(search.isMeant(by: text), "\(text)")
        }
        for text in ["0170 1234568", "34567", "+4917012345678", "170@example.com"] { #expect(!search.isMeant(by: text), "\(text)") }
        #expect(search.removed(from: "to +491701234567: busy") == "to (erased): busy")
        #expect(search.removed(from: "id 1701234567") == nil)
    }

    /// What may mean something else is compared as a whole.
    @Test func aShortNameIsNoPartOfAText() {
        let search = AddressSearch(["7", ""])
        #expect(search.isHeld(by: " 7 ") && !search.isHeld(by: "77") && search.removed(from: "7 of 9") == nil)
        #expect(AddressSearch([""]).isEmpty)
    }
}
