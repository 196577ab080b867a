import CPhoneNumber

/// A country or territory whose numbering plan libphonenumber knows.
package struct PhoneCountry: Sendable, Hashable {
    /// The ISO 3166-1 code of two letters, in upper case.
    package let code: String
    /// The country calling code (ITU-T E.164), without a plus sign.
    package let callingCode: Int

    /// - Parameter code: in either case; nil for one that no country has.
    package init?(_ code: String) {
        self.code = code.uppercased()
        callingCode = Int(flotilla_phone_country_code(self.code))
        // Codes such as "001" stand for services without a country.
        guard callingCode > 0, self.code.utf8.count == 2 else { return nil }
    }

    /// All codes, in alphabetical order.
    package static var codes: [String] {
        let text = [UInt8](unsafeUninitializedCapacity: flotilla_phone_regions(nil, 0)) { buffer, count in
            count = buffer.withMemoryRebound(to: CChar.self) { flotilla_phone_regions($0.baseAddress, $0.count) }
        }
        return stride(from: 0, to: text.count - 1, by: 2).map { String(decoding: text[$0..<$0 + 2], as: UTF8.self) }
    }
}
