import Policy
import Text

/// The forms in which the ledger may have an address that a person typed.
package enum AddressForms {
    /// - Parameter country: of telephone numbers without a country code; nil for none.
    /// - Returns: the text itself, then its normal forms.
    package static func of(_ text: String, country: String? = nil) -> [String] {
        var forms = [text]
        var normal: [UInt8] = []
        if Array(text.utf8).withUnsafeBufferPointer({ EmailAddress.normalise(pasted: $0, into: &normal) }) == nil {
            let address = String(decoding: normal, as: UTF8.self)
            forms += [address, EmailAddress.asciiForm(of: address), EmailAddress.readableForm(of: address)].compactMap(\.self)
        } else if let number = try? PhoneNumber(text, country: country.flatMap { PhoneCountry($0) }) {
            forms.append(number.description)
        }
        // The ledger does not look at the case of ASCII letters.
        return forms.enumerated().filter { index, form in
            !forms[..<index].contains { ASCII.equalIgnoringCase($0.utf8, form.utf8) }
        }.map(\.element)
    }
}
