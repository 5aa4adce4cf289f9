import Testing

/// The examples of RFC 7541 Appendix C: blocks of one connection each, what they say, and the table after each of them.
struct HPACKExample: Sendable, CustomTestStringConvertible {
    struct Block: Sendable {
        let hex: String
        let fields: [String]
        /// Newest first.
        let table: [String]
        let tableBytes: Int
    }

    let section: String
    let tableBytesMax: Int
    let blocks: [Block]

    var testDescription: String { section }

    static let all = [
        HPACKExample(
            section: "C.2.1", tableBytesMax: 4096,
            blocks: [
                Block(
                    hex: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
                    fields: ["custom-key: custom-header"], table: ["custom-key: custom-header"], tableBytes: 55)
            ]),
        HPACKExample(
            section: "C.2.2", tableBytesMax: 4096,
            blocks: [
                Block(
                    hex: "040c 2f73 616d 706c 652f 7061 7468", fields: [":path: /sample/path"], table: [], tableBytes: 0
                )
            ]),
        HPACKExample(
            section: "C.2.3", tableBytesMax: 4096,
            blocks: [
                Block(
                    hex: "1008 7061 7373 776f 7264 0673 6563 7265 74", fields: ["!password: secret"], table: [],
                    tableBytes: 0)
            ]),
        HPACKExample(
            section: "C.2.4", tableBytesMax: 4096,
            blocks: [Block(hex: "82", fields: [":method: GET"], table: [], tableBytes: 0)]),
        HPACKExample(
            section: "C.3", tableBytesMax: 4096,
            blocks: requests([
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ])),
        HPACKExample(
            section: "C.4", tableBytesMax: 4096,
            blocks: requests([
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ])),
        HPACKExample(
            section: "C.5", tableBytesMax: 256,
            blocks: responses([
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133"
                    + "3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a"
                    + "6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b"
                    + "206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
            ])),
        HPACKExample(
            section: "C.6", tableBytesMax: 256,
            blocks: responses([
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d"
                    + "29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d"
                    + "d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5"
                    + "b106 3d50 07",
            ])),
    ]

    private static func requests(_ hex: [String]) -> [Block] {
        let authority = ":authority: www.example.com"
        let cache = "cache-control: no-cache"
        let custom = "custom-key: custom-value"
        return [
            Block(
                hex: hex[0], fields: [":method: GET", ":scheme: http", ":path: /", authority], table: [authority],
                tableBytes: 57),
            Block(
                hex: hex[1], fields: [":method: GET", ":scheme: http", ":path: /", authority, cache],
                table: [cache, authority], tableBytes: 110),
            Block(
                hex: hex[2], fields: [":method: GET", ":scheme: https", ":path: /index.html", authority, custom],
                table: [custom, cache, authority], tableBytes: 164),
        ]
    }

    private static func responses(_ hex: [String]) -> [Block] {
        let cache = "cache-control: private"
        let date21 = "date: Mon, 21 Oct 2013 20:13:21 GMT"
        let date22 = "date: Mon, 21 Oct 2013 20:13:22 GMT"
        let location = "location: https://www.example.com"
        let encoding = "content-encoding: gzip"
        let cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
        return [
            Block(
                hex: hex[0], fields: [":status: 302", cache, date21, location],
                table: [location, date21, cache, ":status: 302"], tableBytes: 222),
            Block(
                hex: hex[1], fields: [":status: 307", cache, date21, location],
                table: [":status: 307", location, date21, cache], tableBytes: 222),
            Block(
                hex: hex[2], fields: [":status: 200", cache, date22, location, encoding, cookie],
                table: [cookie, encoding, date22], tableBytes: 215),
        ]
    }
}
