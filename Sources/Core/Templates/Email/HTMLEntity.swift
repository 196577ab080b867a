import Text

/// Character references of HTML: the numeric ones, and the names that mails use.
enum HTMLEntity {
    /// The text of the reference that begins here, and where it ends; the `&` itself where none does.
    static func decode(_ pieces: [HTMLText.Piece], at start: Int) -> (text: [UInt8], end: Int) {
        var name = ""
        var index = start + 1
        while index < pieces.count, name.utf8.count < 12, let byte = pieces[index].byte,
            byte.isLetterOrDigit || byte == UInt8(ascii: "#")
        {
            name.unicodeScalars.append(Unicode.Scalar(byte))
            index += 1
        }
        guard index < pieces.count, pieces[index] == .byte(UInt8(ascii: ";")), let text = text(of: name) else {
            return ([UInt8(ascii: "&")], start + 1)
        }
        return (Array(text.utf8), index + 1)
    }

    private static func text(of name: String) -> String? {
        guard name.hasPrefix("#") else { return names[name] }
        let digits = name.dropFirst()
        let isHexadecimal = digits.hasPrefix("x") || digits.hasPrefix("X")
        let number = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let number, let scalar = Unicode.Scalar(number) else { return nil }
        return shown(scalar)
    }

    /// Invisible characters go, the no-break space becomes a plain one, controls a space.
    private static func shown(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0xad, 0x200b...0x200f, 0x34f, 0xfeff: ""
        case 0..<0x20, 0x7f..<0xa1: " "
        default: String(Character(scalar))
        }
    }

    private static let names: [String: String] = {
        var names = [
            "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "ensp": " ", "emsp": " ",
            "thinsp": " ",
            "shy": "", "zwnj": "", "zwj": "", "lrm": "", "rlm": "", "ndash": "–", "mdash": "—", "hellip": "…",
            "bull": "•",
            "lsquo": "‘", "rsquo": "’", "sbquo": "‚", "ldquo": "“", "rdquo": "”", "bdquo": "„", "lsaquo": "‹",
            "rsaquo": "›",
            "euro": "€", "trade": "™", "larr": "←", "uarr": "↑", "rarr": "→", "darr": "↓", "minus": "−", "ne": "≠",
            "le": "≤", "ge": "≥", "infin": "∞", "hearts": "♥", "star": "☆", "check": "✓", "dagger": "†", "permil": "‰",
            "OElig": "Œ", "oelig": "œ", "Scaron": "Š", "scaron": "š", "Yuml": "Ÿ",
        ]
        // U+00A1 to U+00FF, in order (HTML 4, section 24.2).
        let latin = """
            iexcl cent pound curren yen brvbar sect uml copy ordf laquo not - reg macr deg plusmn sup2 sup3 acute micro para \
            middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave \
            Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute \
            Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave \
            iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn \
            yuml
            """
        for (offset, name) in latin.split(separator: " ").enumerated() where name != "-" {
            guard let scalar = Unicode.Scalar(0xa1 + UInt32(offset)) else { continue }
            names[String(name)] = String(Character(scalar))
        }
        return names
    }()
}
