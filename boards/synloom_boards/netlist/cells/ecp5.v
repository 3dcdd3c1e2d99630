// ECP5 cells from the vendor's documents: memory (FPGA-TN-02204), multipliers (FPGA-TN-02205) and PLL
// (FPGA-TN-02200), which yosys only knows as black boxes, and pins, which Verilator cannot read as yosys has
// them. Only what the gateware's netlists use; anything else stops the build. Ports are those of the vendor's
// library, one a bit; the 64 parameters of a memory's contents come as one.

module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
        DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    parameter WID = 0, GSR = "ENABLED", INIT_DATA = "STATIC";  // of no effect after power-up
    parameter [20479:0] INIT = 0;  // INITVAL_3F to INITVAL_00: 18 of every 20 bits

    localparam WIDE = DATA_WIDTH_A == 36;  // port A only writes, through the data pins of both ports
    localparam MODE_A = WRITEMODE_A == "WRITETHROUGH" ? 1 : WRITEMODE_A == "READBEFOREWRITE" ? 2 : 0;
    localparam MODE_B = WRITEMODE_B == "WRITETHROUGH" ? 1 : WRITEMODE_B == "READBEFOREWRITE" ? 2 : 0;
    generate
        if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG")
            $fatal(1, "DP16KD: output registers are not modelled");
        if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") $fatal(1, "DP16KD: CSDECODE is not modelled");
        if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") $fatal(1, "DP16KD: inverted clocks are not modelled");
        if (RESETMODE != "SYNC" && RESETMODE != "ASYNC") $fatal(1, "DP16KD: RESETMODE is not known");
        if (RESETMODE != ASYNC_RESET_RELEASE) $fatal(1, "DP16KD: a late release of reset is not modelled");
        if (DATA_WIDTH_B == 36 && !WIDE) $fatal(1, "DP16KD: 36 bits of port B alone are not modelled");
        if (MODE_A == 0 && WRITEMODE_A != "NORMAL") $fatal(1, "DP16KD: WRITEMODE_A is not known");
        if (MODE_B == 0 && WRITEMODE_B != "NORMAL") $fatal(1, "DP16KD: WRITEMODE_B is not known");
        if (INIT_DATA != "STATIC") $fatal(1, "DP16KD: INIT_DATA is not modelled");
    endgenerate

    wire [17:0] di_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
        DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [13:0] ad_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
        ADA0};
    wire [17:0] di_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
        DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
    wire [13:0] ad_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
        ADB0};
    wire [35:0] do_a, do_b;
    wire chosen_a = {CSA2, CSA1, CSA0} == 0, chosen_b = {CSB2, CSB1, CSB0} == 0;
    wire [17:0] low = DATA_WIDTH_B == 36 ? do_b[17:0] : do_a[17:0];
    wire [17:0] high = DATA_WIDTH_B == 36 ? do_b[35:18] : do_b[17:0];
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
        DOA3, DOA2, DOA1, DOA0} = low;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0} = high;

    // Reset keeps a port from writing.
    synloom_block_ram #(
        .WIDTH_A(DATA_WIDTH_A), .WIDTH_B(DATA_WIDTH_B), .MODE_A(MODE_A), .MODE_B(MODE_B),
        .ASYNC(RESETMODE == "ASYNC"), .INIT_BITS(20480), .INIT_PAIR(20), .INIT(INIT)
    ) ram (
        .clk_a(CLKA), .en_a(CEA & chosen_a), .we_a(WEA & ~RSTA), .clear_a(RSTA), .bytes_a(ad_a[3:0]),
        .ad_a(ad_a), .di_a(WIDE ? {di_b, di_a} : {18'd0, di_a}), .do_a(do_a),
        .clk_b(CLKB), .en_b(CEB & chosen_b), .we_b(WEB & ~RSTB & !WIDE), .clear_b(RSTB), .bytes_b(ad_b[3:0]),
        .ad_b(ad_b), .di_b({18'd0, di_b}), .do_b(do_b)
    );
endmodule

module MULT18X18D (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
    input SRIA17, SRIA16, SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8, SRIA7, SRIA6,
        SRIA5, SRIA4, SRIA3, SRIA2, SRIA1, SRIA0,
    input SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10, SRIB9, SRIB8, SRIB7, SRIB6,
        SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
        P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
    parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
    parameter REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0", REG_INPUTC_RST = "RST0";
    parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0";
    parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
    parameter CLK0_DIV = "ENABLED", CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED", CLK3_DIV = "ENABLED";
    parameter HIGHSPEED_CLK = "NONE", GSR = "ENABLED", CAS_MATCH_REG = "FALSE", SOURCEB_MODE = "B_SHIFT";
    parameter MULT_BYPASS = "DISABLED", RESETMODE = "SYNC";
    generate
        if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_PIPELINE_CLK != "NONE" ||
            REG_OUTPUT_CLK != "NONE") $fatal(1, "MULT18X18D: registers are not modelled");
        if (MULT_BYPASS != "DISABLED") $fatal(1, "MULT18X18D: MULT_BYPASS is not modelled");
    endgenerate

    wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    wire [17:0] shifted_a = {SRIA17, SRIA16, SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8,
        SRIA7, SRIA6, SRIA5, SRIA4, SRIA3, SRIA2, SRIA1, SRIA0};
    wire [17:0] shifted_b = {SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10, SRIB9, SRIB8,
        SRIB7, SRIB6, SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0};
    wire [35:0] wide_a, wide_b;
    synloom_operand #(18) operand_a (SIGNEDA, SOURCEA ? shifted_a : a, wide_a);
    synloom_operand #(18) operand_b (SIGNEDB, SOURCEB ? shifted_b : b, wide_b);
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
        P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = wide_a * wide_b;
endmodule

// A pin; its output is off while T is high.
module TRELLIS_IO (inout B, input I, T, output O);
    parameter DIR = "INPUT";
    assign O = B;
    generate
        case (DIR)
            "INPUT": ;
            "OUTPUT", "BIDIR": assign B = T ? 1'bz : I;
            default: $fatal(1, "TRELLIS_IO: DIR is not known");
        endcase
    endgenerate
endmodule

// The clock goes through: how often it beats in a second is nothing that a simulation sees.
module EHXPLLL (
    input CLKI, CLKFB, PHASESEL1, PHASESEL0, PHASEDIR, PHASESTEP, PHASELOADREG, STDBY, PLLWAKESYNC,
    input RST, ENCLKOP, ENCLKOS, ENCLKOS2, ENCLKOS3,
    output CLKOP, CLKOS, CLKOS2, CLKOS3, LOCK, INTLOCK, REFCLK, CLKINTFB
);
    parameter CLKI_DIV = 1, CLKFB_DIV = 1;
    parameter CLKOP_DIV = 8, CLKOS_DIV = 8, CLKOS2_DIV = 8, CLKOS3_DIV = 8;
    parameter CLKOP_ENABLE = "ENABLED", CLKOS_ENABLE = "DISABLED";
    parameter CLKOS2_ENABLE = "DISABLED", CLKOS3_ENABLE = "DISABLED";
    parameter CLKOP_CPHASE = 0, CLKOS_CPHASE = 0, CLKOS2_CPHASE = 0, CLKOS3_CPHASE = 0;
    parameter CLKOP_FPHASE = 0, CLKOS_FPHASE = 0, CLKOS2_FPHASE = 0, CLKOS3_FPHASE = 0;
    parameter FEEDBK_PATH = "CLKOP", CLKOP_TRIM_POL = "RISING", CLKOP_TRIM_DELAY = 0;
    parameter CLKOS_TRIM_POL = "RISING", CLKOS_TRIM_DELAY = 0;
    parameter OUTDIVIDER_MUXA = "DIVA", OUTDIVIDER_MUXB = "DIVB";
    parameter OUTDIVIDER_MUXC = "DIVC", OUTDIVIDER_MUXD = "DIVD";
    parameter PLL_LOCK_MODE = 0, PLL_LOCK_DELAY = 200;
    parameter STDBY_ENABLE = "DISABLED", REFIN_RESET = "DISABLED", SYNC_ENABLE = "DISABLED";
    parameter INT_LOCK_STICKY = "ENABLED", DPHASE_SOURCE = "DISABLED", PLLRST_ENA = "DISABLED";
    parameter INTFB_WAKE = "DISABLED";
    generate
        if (CLKOS2_ENABLE != "DISABLED" || CLKOS3_ENABLE != "DISABLED")
            $fatal(1, "EHXPLLL: a second or third secondary clock is not modelled");
        if (STDBY_ENABLE != "DISABLED" || DPHASE_SOURCE != "DISABLED")
            $fatal(1, "EHXPLLL: standby and moving phases are not modelled");
    endgenerate
    synloom_pll pll (CLKI, PLLRST_ENA == "ENABLED" && RST, LOCK);
    assign CLKOP = CLKI, CLKOS = CLKI, CLKOS2 = 0, CLKOS3 = 0;
    assign INTLOCK = LOCK, REFCLK = CLKI, CLKINTFB = CLKI;
endmodule
