import CPhoneNumber

/// How libphonenumber reads a text as a telephone number.
struct PhoneReading: Equatable {
    /// How well a number fits the numbering plan of its country, the best last.
    enum Fit: UInt32, Comparable {
        case tooShort, tooLong
        /// No number of the country has as many digits.
        case wrongLength
        /// It lacks its area code.
        case local
        /// Right by its length, and in no range that the library's metadata knows.
        case possible
        case valid
        /// In a range of mobile numbers, or in one that mobile numbers share with others.
        case mobile

        static func < (left: Fit, right: Fit) -> Bool { left.rawValue < right.rawValue }
    }

    /// Why a text is not read.
    enum Failure: Error {
        case noNumber, noCountry, tooShort, tooLong
    }

    /// Numbers of digits behind a country calling code that came into use after the library's metadata of 2022: Benin put 01 in front of
    /// all numbers in 2024, Gambia and Congo have longer ones.
    private static let newerLengths: [Int: Set<Int>] = [220: [9], 229: [10], 243: [10]]

    /// In the form of E.164.
    var number: String
    var callingCode: Int
    var fit: Fit
    /// The text says by a plus sign or an international prefix that it begins with a country code.
    var isInternational = false
    var hasExtension = false

    init(number: String, callingCode: Int, fit: Fit) {
        self.number = number
        self.callingCode = callingCode
        self.fit = fit
    }

    /// - Parameter country: of numbers that are written as in that country; nil reads only those with a plus sign.
    init(_ text: String, country: PhoneCountry?) throws(Failure) {
        var found = flotilla_phone()
        let result = flotilla_phone_read(text, text.utf8.count, country?.code ?? "", &found)
        switch result {
        case FLOTILLA_PHONE_READ: break
        case FLOTILLA_PHONE_NO_COUNTRY: throw .noCountry
        case FLOTILLA_PHONE_TOO_SHORT: throw .tooShort
        case FLOTILLA_PHONE_TOO_LONG: throw .tooLong
        default: throw .noNumber
        }
        guard var fit = Fit(rawValue: found.fit.rawValue) else { throw .noNumber }
        number = withUnsafeBytes(of: found.number) { String(decoding: $0.prefix(found.length), as: UTF8.self) }
        callingCode = Int(found.country_code)
        let national = number.utf8.count - 1 - "\(callingCode)".utf8.count
        if fit < .local, Self.newerLengths[callingCode]?.contains(national) == true { fit = .possible }
        self.fit = fit
        isInternational = found.is_international
        hasExtension = found.has_extension
    }
}
