//! JSON as it was received, and its canonical form.

use interop::json::Json;

fn canonical(text: &str) -> String {
    let bytes = Json::parse(text).expect("text is JSON").canonical().expect("canonical form");
    String::from_utf8(bytes).expect("canonical form is UTF-8")
}

#[test]
fn rfc_8785_3_2_2_literals_texts_and_numbers() {
    let text = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let expected = concat!(
        r#"{"literals":[null,true,false],"#,
        r#""numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(canonical(text), expected);
}

#[test]
fn rfc_8785_3_2_3_names_are_ordered_by_utf_16() {
    let text = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Dalet","1":"One",
        "\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"O diaeresis"}"#;
    let expected = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
        \"ö\":\"O diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji\",\"\u{fb33}\":\"Dalet\"}";
    assert_eq!(canonical(text), expected);
}

#[test]
fn rfc_8785_appendix_b_numbers() {
    let samples: &[(u64, &str)] = &[
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, expected) in samples {
        assert_eq!(canonical(&format!("{:e}", f64::from_bits(*bits))), *expected);
    }
}

#[test]
fn a_whole_number_beyond_53_bits_is_canonical_as_a_double() {
    assert_eq!(canonical("9007199254740993"), "9007199254740992");
    assert_eq!(canonical("18446744073709551615"), "18446744073709552000");
}

#[test]
fn the_order_of_names_is_kept() {
    let value = Json::parse(r#"{"b":1,"a":[{"d":null,"c":true}]}"#).expect("text is JSON");
    let names: Vec<_> = value.entries().iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(
        serde_json::to_string(&value).expect("text"),
        r#"{"b":1,"a":[{"d":null,"c":true}]}"#
    );
}

#[test]
fn a_repeated_name_is_found_among_few_and_among_many() {
    for count in [1, 11, 12, 40] {
        let names: Vec<String> = (0..count).map(|n| format!("\"n{n}\":0")).collect();
        let fine = format!("{{{}}}", names.join(","));
        assert!(Json::parse(&fine).is_ok());
        let fault = Json::parse(&fine.replace("{\"n0\"", "{\"n0\":1,\"n0\"")).expect_err("refused");
        assert_eq!(fault.code().slug, "json-repeated-name");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in
        ["", " ", "tru", "01", "+1", "1.", ".5", "NaN", "1e999", "\"\u{1}\"", "[1,]", "{}{}"]
    {
        assert_eq!(Json::parse(text).expect_err("refused").code().slug, "not-json", "{text}");
    }
}
