import Text

/// Character references of HTML: the numeric ones, and the names of HTML 4 with some of HTML 5.
enum HTMLEntity {
    /// The text of the reference that begins here, and where it ends; the `&` itself where none does.
    /// - Parameter inAttribute: there `&copy=` is no reference but a parameter of a URL (HTML Standard section 13.2.5.73).
    static func decode(_ pieces: [HTMLText.Piece], at start: Int, inAttribute: Bool) -> (text: [UInt8], end: Int) {
        var name = ""
        var index = start + 1
        while index < pieces.count, name.utf8.count < longestName, let byte = pieces[index].byte,
            byte.isLetterOrDigit || byte == UInt8(ascii: "#") && name.isEmpty
        {
            name.unicodeScalars.append(Unicode.Scalar(byte))
            index += 1
        }
        let next = index < pieces.count ? pieces[index].byte : nil
        if next == UInt8(ascii: ";"), let text = text(of: name) { return (Array(text.utf8), index + 1) }
        // The oldest names, and numbers, may lack the semicolon.
        let mayLackSemicolon = name.hasPrefix("#") || oldNames.contains(name)
        if mayLackSemicolon, !(inAttribute && next == UInt8(ascii: "=")), let text = text(of: name) { return (Array(text.utf8), index) }
        return ([UInt8(ascii: "&")], start + 1)
    }

    private static let longestName = 32

    private static func text(of name: String) -> String? {
        guard name.hasPrefix("#") else { return names[name] }
        let digits = name.dropFirst()
        let isHexadecimal = digits.hasPrefix("x") || digits.hasPrefix("X")
        let number = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let number, digits.first != "+" else { return nil }
        return shown(Unicode.Scalar(number) ?? "\u{fffd}")
    }

    /// Invisible characters go, the no-break space becomes a plain one, controls a space.
    private static func shown(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0xad, 0x200b...0x200f, 0x34f, 0xfeff: ""
        // Numbers of Windows-1252, which browsers take for its characters.
        case 0x80..<0xa0: windows1252[Int(scalar.value - 0x80)].map { String(Character($0)) } ?? " "
        case 0..<0x20, 0x7f, 0xa0: " "
        default: String(Character(scalar))
        }
    }

    /// U+0080 to U+009F as Windows-1252 has them.
    private static let windows1252: [Unicode.Scalar?] = """
        20ac 81 201a 192 201e 2026 2020 2021 2c6 2030 160 2039 152 8d 17d 8f \
        90 2018 2019 201c 201d 2022 2013 2014 2dc 2122 161 203a 153 9d 17e 178
        """.split(separator: " ").map { UInt32($0, radix: 16).flatMap { $0 < 0xa0 ? nil : Unicode.Scalar($0) } }

    /// The names that may lack their semicolon.
    private static let oldNames: Set<String> = Set(
        latin.split(separator: " ").map(String.init) + ["amp", "lt", "gt", "quot", "nbsp", "shy"])

    private static let names: [String: String] = {
        var names = [
            "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "nbsp": " ", "ensp": " ", "emsp": " ", "thinsp": " ", "shy": "", "zwnj": "",
            "zwj": "", "lrm": "", "rlm": "", "AMP": "&", "LT": "<", "GT": ">", "QUOT": "\"",
        ]
        for (offset, name) in latin.split(separator: " ").enumerated() where name != "-" {
            guard let scalar = Unicode.Scalar(0xa1 + UInt32(offset)) else { continue }
            names[String(name)] = String(Character(scalar))
        }
        for item in others.split(whereSeparator: \.isWhitespace) {
            let parts = item.split(separator: "=")
            guard parts.count == 2, let scalar = UInt32(parts[1], radix: 16).flatMap(Unicode.Scalar.init) else { continue }
            names[String(parts[0])] = shown(scalar)
        }
        return names
    }()

    /// U+00A1 to U+00FF, in order (HTML 4, section 24.2).
    private static let latin = """
        iexcl cent pound curren yen brvbar sect uml copy ordf laquo not - reg macr deg plusmn sup2 sup3 acute micro para \
        middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave \
        Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute \
        Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave \
        iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn \
        yuml
        """

    /// The others of HTML 4 (sections 24.3 and 24.4), and letters and signs of HTML 5, with their code points.
    private static let others = """
        OElig=152 oelig=153 Scaron=160 scaron=161 Yuml=178 fnof=192 circ=2c6 tilde=2dc Alpha=391 Beta=392 Gamma=393 Delta=394
        Epsilon=395 Zeta=396 Eta=397 Theta=398 Iota=399 Kappa=39a Lambda=39b Mu=39c Nu=39d Xi=39e Omicron=39f Pi=3a0 Rho=3a1
        Sigma=3a3 Tau=3a4 Upsilon=3a5 Phi=3a6 Chi=3a7 Psi=3a8 Omega=3a9 alpha=3b1 beta=3b2 gamma=3b3 delta=3b4 epsilon=3b5
        zeta=3b6 eta=3b7 theta=3b8 iota=3b9 kappa=3ba lambda=3bb mu=3bc nu=3bd xi=3be omicron=3bf pi=3c0 rho=3c1 sigmaf=3c2
        sigma=3c3 tau=3c4 upsilon=3c5 phi=3c6 chi=3c7 psi=3c8 omega=3c9 thetasym=3d1 upsih=3d2 piv=3d6 ndash=2013 mdash=2014
        lsquo=2018 rsquo=2019 sbquo=201a ldquo=201c rdquo=201d bdquo=201e dagger=2020 Dagger=2021 bull=2022 hellip=2026
        permil=2030 prime=2032 Prime=2033 lsaquo=2039 rsaquo=203a oline=203e frasl=2044 euro=20ac image=2111 weierp=2118
        real=211c trade=2122 alefsym=2135 larr=2190 uarr=2191 rarr=2192 darr=2193 harr=2194 crarr=21b5 lArr=21d0 uArr=21d1
        rArr=21d2 dArr=21d3 hArr=21d4 forall=2200 part=2202 exist=2203 empty=2205 nabla=2207 isin=2208 notin=2209 ni=220b
        prod=220f sum=2211 minus=2212 lowast=2217 radic=221a prop=221d infin=221e ang=2220 and=2227 or=2228 cap=2229 cup=222a
        int=222b there4=2234 sim=223c cong=2245 asymp=2248 ne=2260 equiv=2261 le=2264 ge=2265 sub=2282 sup=2283 nsub=2284
        sube=2286 supe=2287 oplus=2295 otimes=2297 perp=22a5 sdot=22c5 lceil=2308 rceil=2309 lfloor=230a rfloor=230b lang=2329
        rang=232a loz=25ca spades=2660 clubs=2663 hearts=2665 diams=2666 apos=27 star=2606 starf=2605 check=2713 cross=2717
        phone=260e female=2640 male=2642 numsp=2007 puncsp=2008 hairsp=200a horbar=2015 lsqb=5b rsqb=5d lbrace=7b rbrace=7d
        lcub=7b rcub=7d lpar=28 rpar=29 sol=2f bsol=5c num=23 dollar=24 percnt=25 plus=2b comma=2c period=2e colon=3a semi=3b
        equals=3d quest=3f excl=21 commat=40 lowbar=5f grave=60 ast=2a vert=7c verbar=7c Tab=9 NewLine=a hyphen=2010 dash=2010
        incare=2105 copysr=2117 numero=2116 rx=211e caron=2c7 breve=2d8 dot=2d9 ring=2da ogon=2db dblac=2dd inodot=131
        lstrok=142 Lstrok=141 nacute=144 Nacute=143 sacute=15b Sacute=15a zacute=17a Zacute=179 zdot=17c Zdot=17b cacute=107
        Cacute=106 aogon=105 Aogon=104 eogon=119 Eogon=118 ccaron=10d Ccaron=10c ecaron=11b Ecaron=11a rcaron=159 Rcaron=158
        zcaron=17e Zcaron=17d tcaron=165 Tcaron=164 dcaron=10f Dcaron=10e ncaron=148 Ncaron=147 uring=16f Uring=16e odblac=151
        Odblac=150 udblac=171 Udblac=170 abreve=103 Abreve=102 scedil=15f Scedil=15e tcedil=163 Tcedil=162 gbreve=11f
        Gbreve=11e Idot=130 dstrok=111 Dstrok=110 amacr=101 Amacr=100 emacr=113 Emacr=112 imacr=12b Imacr=12a omacr=14d
        Omacr=14c umacr=16b Umacr=16a iogon=12f Iogon=12e uogon=173 Uogon=172 lcaron=13e Lcaron=13d kcedil=137 Kcedil=136
        lcedil=13c Lcedil=13b ncedil=146 Ncedil=145 rcedil=157 Rcedil=156
        """
}
