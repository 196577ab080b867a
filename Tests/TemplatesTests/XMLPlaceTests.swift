import Foundation
import FoundationXML
import Model
import Testing

@testable import Templates

/// What a value becomes where it stands in XML. The judge is the parser of libxml2.
@Suite struct XMLPlaceTests {
    private func xml(_ template: String, _ value: String) throws -> String {
        try CompiledTemplate.render(template, ["v": value], escaping: .xml)
    }

    @Test(arguments: [
        ("<a>\n<!-- {{v}} --></a>", "stands in a comment of XML"), ("<a>\n<!--{{v}}--></a>", "stands in a comment of XML"),
        ("<a>\n<!-- - -> ]]> <b x='\"> {{v}}--></a>", "stands in a comment of XML"),
        ("\n<{{v}}/>", "the name of an element or attribute"), ("\n<a></{{v}}>", "the name of an element or attribute"),
        ("\n<a-{{v}}/>", "the name of an element or attribute"), ("\n<a {{v}}='x'/>", "the name of an element or attribute"),
        ("\n<a b='>'{{v}}/>", "the name of an element or attribute"), ("\n<a b={{v}} />", "the name of an element or attribute"),
        ("\n<?xml version='{{v}}'?><a/>", "processing instruction or DOCTYPE"),
        ("\n<?php > ? {{v}} ?><a/>", "processing instruction or DOCTYPE"),
        ("\n<!DOCTYPE {{v}}><a/>", "processing instruction or DOCTYPE"),
        ("\n<!DOCTYPE a [<!ENTITY x \"{{v}}\">]><a/>", "processing instruction or DOCTYPE"),
        ("\n<!DOCTYPE a [<!-- ]> ' --><?x ]> ?><!ENTITY x ']>'> {{v}}]><a/>", "processing instruction or DOCTYPE"),
        ("\n<!DOCTYPE a [<!-- ]> {{v}} -->]><a/>", "stands in a comment of XML"),
        ("<a>\n&{{v}};</a>", "stands in a reference"), ("<a\nb='&#x{{v}};'/>", "stands in a reference"),
        ("<a>\n<![CDAT {{v}}", "processing instruction or DOCTYPE"),
    ]) func aPlaceForWhichNothingCanBeEscapedIsRefused(_ template: String, _ words: String) throws {
        let error = try #require(throws: TemplateError.self) { try xml(template, "x") }
        #expect(error.problems.count == 1 && error.problems[0].line == 2 && error.problems[0].column > 0)
        #expect(error.description.contains("'{{v}}' stands in") && error.description.contains(words), "\(error)")
        #expect(try xml(template.replacing("{{v}}", with: "{{{v}}}"), "x").contains("x"))
    }

    private func read(_ document: String) throws -> String {
        let (parser, content) = (XMLParser(data: Data(document.utf8)), Content())
        parser.delegate = content
        try #require(parser.parse(), "\(document)")
        return content.text
    }

    @Test(arguments: [
        "<a>{{v}}</a>", "<a b=\"{{v}}\" c='>{{v}}'/>", "<a><![CDATA[{{v}}]]></a>", "<a><![CDATA[ ]{{v}}>]]></a>",
        "<a><![CDATA[]]{{v}}{{v}}]{{v}}]]></a>", "<a><!-- '\"<![CDATA[ -->{{v}}<![CDATA[<!-- {{v}}]]>{{v}}</a>",
        "<?x '\"<a ?><!DOCTYPE a [<!-- ]> ' --><!ENTITY x ']>'>]><a>{{v}}</a>", "<a>&amp;{{v}}&lt;{{v}}</a>",
        "<a>{{#v}}<![CDATA[ ]{{/v}}{{^v}}<![CDATA[]]{{/v}}{{v}}>{{v}}]]></a>", "<a>]]{{v}}</a>",
    ]) func everyValueIsReadAsItIs(_ template: String) throws {
        var generator = SeededGenerator(seed: 10)
        let pieces = ["]", "]]", ">", "<", "&", "'", "\"", "]]>", "<![CDATA[", "-->", "<!--", "a", " ", "\n", "é", "&amp;", "\u{1}", "?>"]
        for round in 0..<300 {
            let length = round == 0 ? 0 : Int.random(in: 0...5, using: &generator)
            let value = (0..<length).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let text = try xml(template, value)
            let expected = try read(xml(template, "\u{e000}")).replacing("\u{e000}", with: value.replacing("\u{1}", with: ""))
            // A value of white space takes the other branch of a section.
            if value.allSatisfy(\.isWhitespace), template.contains("{{^") { continue }
            #expect(try read(text) == expected, "\(value.debugDescription): \(text)")
        }
    }
}

/// Collects the elements, attributes and texts of a document.
private final class Content: NSObject, XMLParserDelegate {
    var text = ""

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
    ) {
        text += "<\(name)>" + attributes.sorted { $0.key < $1.key }.map { "[\($0.key)=\($0.value)]" }.joined()
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(_ parser: XMLParser, foundCDATA block: Data) { text += String(decoding: block, as: UTF8.self) }
}
