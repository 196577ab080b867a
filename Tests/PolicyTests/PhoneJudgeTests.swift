import Foundation
import Policy
import TestServers
import Testing

/// Telephone numbers of all regions in every usual spelling, judged by PyPI's phonenumbers, which has newer metadata than ours.
@Suite(.timeLimit(.minutes(5))) struct PhoneJudgeTests {
    /// Prints a line for each spelling: region, kind of spelling, text, the number that its writer means, how the judge reads it.
    private static let script = #"""
        import random, sys
        import phonenumbers as p
        from phonenumbers import PhoneNumberFormat as F, PhoneNumberType as T

        random.seed(12)

        def e164(n): return p.format_number(n, F.E164)

        def judged(text, region):
            try: n = p.parse(text, region)
            except p.NumberParseException: return "-"
            return e164(n) if p.is_possible_number(n) else "-"

        def spellings(n, region):
            meta = p.PhoneMetadata.metadata_for_region(region)
            number, cc = e164(n), str(n.country_code)
            national = p.format_number(n, F.NATIONAL)
            significant = p.national_significant_number(n)
            yield "e164", number
            yield "zeros", "00" + number[1:]
            yield "zeros, spaced", "00 " + p.format_number(n, F.INTERNATIONAL)[1:]
            yield "international", p.format_number(n, F.INTERNATIONAL)
            yield "hyphens", p.format_number(n, F.INTERNATIONAL).replace(" ", "-")
            yield "uri", p.format_number(n, F.RFC3966)
            yield "national", national
            yield "digits", "".join(c for c in national if c.isdigit())
            yield "significant", significant
            yield "without plus", number[1:]
            yield "without plus, spaced", p.format_number(n, F.INTERNATIONAL)[1:]
            yield "dialled abroad", p.format_out_of_country_calling_number(n, "US" if cc != "1" else "GB")
            yield "dialled here", p.format_out_of_country_calling_number(n, region)
            yield "marks", "\u202a" + p.format_number(n, F.INTERNATIONAL).replace(" ", "\u00a0") + "\u202c"
            yield "full width", "".join(chr(ord(c) + 0xfee0) if "!" <= c <= "~" else c for c in national)
            yield "arabic", "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in national)
            yield "devanagari", "".join(chr(0x966 + int(c)) if c.isdigit() else c for c in number)
            yield "extension", national + " ext. 12"
            if meta.national_prefix == "0":
                yield "(0)", "+" + cc + " (0) " + significant
                yield "trunk behind code", "+" + cc + " 0" + significant
                yield "trunk behind zeros", "00" + cc + "0" + significant

        for region in sorted(p.SUPPORTED_REGIONS):
            for kind in (T.MOBILE, T.FIXED_LINE, T.VOIP, T.TOLL_FREE):
                example = p.example_number_for_type(region, kind)
                if not example: continue
                numbers = {e164(example)}
                for _ in range(400):
                    if len(numbers) == 4 or kind == T.TOLL_FREE: break
                    text = e164(example)
                    count = random.randint(2, 6)
                    text = text[:-count] + "".join(random.choice("0123456789") for _ in range(count))
                    try: n = p.parse(text, None)
                    except p.NumberParseException: continue
                    if p.is_valid_number_for_region(n, region) and e164(n) == text: numbers.add(text)
                for number in sorted(numbers):
                    n = p.parse(number, None)
                    for name, text in spellings(n, region):
                        reader = "US" if name == "dialled abroad" and n.country_code != 1 else "GB" if name == "dialled abroad" else region
                        print(reader, kind == T.MOBILE, name, text, number, judged(text, reader), sep="\t")
                    # Without its plus sign in the list of another country.
                    other = random.choice(sorted(p.SUPPORTED_REGIONS))
                    if p.country_code_for_region(other) != n.country_code:
                        print(other, kind == T.MOBILE, "foreign", number[1:], number, judged(number[1:], other), sep="\t")
        """#

    private struct Missing: Error, CustomStringConvertible {
        var description: String { "FLOTILLA_TEST_PYTHON names no python with phonenumbers: deploy/test makes one" }
    }

    private func spellings() throws -> [[String]] {
        guard let python = ProcessInfo.processInfo.environment["FLOTILLA_TEST_PYTHON"] else { throw Missing() }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-c", Self.script]
        process.standardOutput = output
        process.environment = ["PYTHONIOENCODING": "utf-8"]
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Missing() }
        return text.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }

    @Test func everySpellingIsReadAsItsWriterMeantOrRefused() throws {
        var kinds: Set<String> = []
        var count = (all: 0, refused: 0)
        for line in try spellings() where line.count == 6 {
            let (region, isMobile, kind, text, meant, judged) = (line[0], line[1] == "True", line[2], line[3], line[4], line[5])
            kinds.insert(kind)
            let found = try? PhoneNumber(text, country: PhoneCountry(region)).description
            if kind == "foreign" {
                // It is a number as people in the country of the list write it, or none.
                let code = try #require(PhoneCountry(region)).callingCode
                #expect(found == nil || found?.hasPrefix("+\(code)") == true && found != meant, "\(region): \(text)")
                continue
            }
            #expect(found == nil || found == meant, "\(region), \(kind): \(text) is \(meant)")
            // Only without a plus sign there are numbers with two meanings, and next to no mobile ones. Newer ranges are unknown to us.
            guard judged == meant else { continue }
            count.all += 1
            count.refused += found == nil ? 1 : 0
            let isClear = !["significant", "without plus", "without plus, spaced"].contains(kind)
            #expect(found != nil || !(isClear && isMobile), "\(region), \(kind): \(text) is \(meant)")
        }
        #expect(kinds.count == 22 && count.all > 40_000 && count.refused * 500 < count.all, "\(count)")
    }
}
