import Model
import Testing

@Suite struct MaskingTests {
    @Test(arguments: [
        ("ada@example.com", "a***@example.com"), ("\"a@b\"@example.com", "\"***@example.com"), ("@example.com", "***@example.com"),
        ("+4917012345689", "+4917***89"), ("+49170123", "+***"), ("1234567890", "123***"), ("abc", "a***"), ("", "***"),
    ])
    func addressesAreMasked(address: String, masked: String) {
        #expect(Masking.address(address) == masked)
    }
}
