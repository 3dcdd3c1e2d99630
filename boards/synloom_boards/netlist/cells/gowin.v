// Gowin cells that yosys only knows as black boxes, from the vendor's documents: memory (UG285), multipliers
// (UG287), PLL (UG286). Only what the gateware's netlists use; anything else stops the build.
// The 64 parameters of a memory's contents come as one.

// Port A writes, port B reads; up to 4 bytes of 8 bits.
module SDPB (
    input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input [31:0] DI,
    output [31:0] DO
);
    parameter READ_MODE = 1'b0, BIT_WIDTH_0 = 32, BIT_WIDTH_1 = 32;
    parameter BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000, RESET_MODE = "SYNC";
    parameter [16383:0] INIT = 0;
    synloom_bsram #(
        .NAME("SDPB"), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .BYTE(8),
        .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .INIT(INIT)
    ) ram (
        .clk_a(CLKA), .en_a(CEA & BLKSELA == BLK_SEL_0), .we_a(1'b1), .clear_a(RESETA), .ad_a(ADA), .di_a(DI),
        .do_a(), .clk_b(CLKB), .en_b(CEB & BLKSELB == BLK_SEL_1), .clear_b(RESETB), .ad_b(ADB), .do_b(DO)
    );
endmodule

// Port A writes, port B reads; bytes of 9 bits.
module SDPX9B (
    input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input [35:0] DI,
    output [35:0] DO
);
    parameter READ_MODE = 1'b0, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36;
    parameter BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000, RESET_MODE = "SYNC";
    parameter [18431:0] INIT = 0;
    synloom_bsram #(
        .NAME("SDPX9B"), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .BYTE(9),
        .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .INIT(INIT)
    ) ram (
        .clk_a(CLKA), .en_a(CEA & BLKSELA == BLK_SEL_0), .we_a(1'b1), .clear_a(RESETA), .ad_a(ADA), .di_a(DI),
        .do_a(), .clk_b(CLKB), .en_b(CEB & BLKSELB == BLK_SEL_1), .clear_b(RESETB), .ad_b(ADB), .do_b(DO)
    );
endmodule

// One port; up to 4 bytes of 8 bits.
module SP (
    input CLK, CE, OCE, RESET, WRE,
    input [2:0] BLKSEL,
    input [13:0] AD,
    input [31:0] DI,
    output [31:0] DO
);
    parameter READ_MODE = 1'b0, WRITE_MODE = 2'b00, BIT_WIDTH = 32, BLK_SEL = 3'b000, RESET_MODE = "SYNC";
    parameter [16383:0] INIT = 0;
    synloom_bsram #(
        .NAME("SP"), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .BYTE(8),
        .WIDTH_A(BIT_WIDTH), .WIDTH_B(BIT_WIDTH), .MODE_A(WRITE_MODE), .INIT(INIT)
    ) ram (
        .clk_a(CLK), .en_a(CE & BLKSEL == BLK_SEL), .we_a(WRE), .clear_a(RESET), .ad_a(AD), .di_a(DI),
        .do_a(DO), .clk_b(1'b0), .en_b(1'b0), .clear_b(1'b0), .ad_b(14'd0), .do_b()
    );
endmodule

// One port; bytes of 9 bits.
module SPX9 (
    input CLK, CE, OCE, RESET, WRE,
    input [2:0] BLKSEL,
    input [13:0] AD,
    input [35:0] DI,
    output [35:0] DO
);
    parameter READ_MODE = 1'b0, WRITE_MODE = 2'b00, BIT_WIDTH = 36, BLK_SEL = 3'b000, RESET_MODE = "SYNC";
    parameter [18431:0] INIT = 0;
    synloom_bsram #(
        .NAME("SPX9"), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .BYTE(9),
        .WIDTH_A(BIT_WIDTH), .WIDTH_B(BIT_WIDTH), .MODE_A(WRITE_MODE), .INIT(INIT)
    ) ram (
        .clk_a(CLK), .en_a(CE & BLKSEL == BLK_SEL), .we_a(WRE), .clear_a(RESET), .ad_a(AD), .di_a(DI),
        .do_a(DO), .clk_b(1'b0), .en_b(1'b0), .clear_b(1'b0), .ad_b(14'd0), .do_b()
    );
endmodule

// The memory behind those: bytes of 8 bits leave the ninth alone. From 16 bits on, the lowest address bits
// enable bytes.
module synloom_bsram #(
    parameter NAME = "", READ_MODE = 0, RESET_MODE = "SYNC", BYTE = 9,
    parameter WIDTH_A = 9, WIDTH_B = 9, MODE_A = 0,
    parameter [2048*BYTE-1:0] INIT = 0
) (
    input clk_a, en_a, we_a, clear_a,
    input [13:0] ad_a,
    input [4*BYTE-1:0] di_a,
    output [4*BYTE-1:0] do_a,
    input clk_b, en_b, clear_b,
    input [13:0] ad_b,
    output [4*BYTE-1:0] do_b
);
    generate
        if (READ_MODE != 0) $fatal(1, "%s: output registers (READ_MODE) are not modelled", NAME);
        if (RESET_MODE != "SYNC" && RESET_MODE != "ASYNC") $fatal(1, "%s: RESET_MODE is not known", NAME);
        if (BYTE == 9 ? WIDTH_A % 9 != 0 || WIDTH_B % 9 != 0 : WIDTH_A % 9 == 0 || WIDTH_B % 9 == 0)
            $fatal(1, "%s: this width is not one of its widths", NAME);
    endgenerate
    localparam WIDE_A = WIDTH_A < 8 ? WIDTH_A : WIDTH_A / BYTE * 9;
    localparam WIDE_B = WIDTH_B < 8 ? WIDTH_B : WIDTH_B / BYTE * 9;
    wire [35:0] di, qa, qb;
    synloom_block_ram #(
        .WIDTH_A(WIDE_A), .WIDTH_B(WIDE_B), .MODE_A(MODE_A), .ASYNC(RESET_MODE == "ASYNC"),
        .INIT_BITS(2048*BYTE), .INIT(INIT), .INIT_BYTE(BYTE), .INIT_PAIR(2*BYTE)
    ) ram (
        .clk_a(clk_a), .en_a(en_a), .we_a(we_a), .clear_a(clear_a),
        .bytes_a(ad_a[3:0]), .ad_a(ad_a), .di_a(di), .do_a(qa),
        .clk_b(clk_b), .en_b(en_b), .we_b(1'b0), .clear_b(clear_b),
        .bytes_b(4'b0000), .ad_b(ad_b), .di_b(36'd0), .do_b(qb)
    );
    genvar k;
    generate
        for (k = 0; k < 4; k = k + 1) begin : lane
            assign di[9*k +: 9] = 9'(di_a[BYTE*k +: BYTE]);
            assign do_a[BYTE*k +: BYTE] = qa[9*k +: BYTE];
            assign do_b[BYTE*k +: BYTE] = qb[9*k +: BYTE];
        end
    endgenerate
endmodule

module MULT9X9 (
    input [8:0] A, SIA, B, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [17:0] DOUT,
    output [8:0] SOA, SOB
);
    parameter AREG = 1'b0, BREG = 1'b0, OUT_REG = 1'b0, PIPE_REG = 1'b0;
    parameter ASIGN_REG = 1'b0, BSIGN_REG = 1'b0, SOA_REG = 1'b0, MULT_RESET_MODE = "SYNC";
    generate
        if (AREG || BREG || OUT_REG || PIPE_REG || ASIGN_REG || BSIGN_REG || SOA_REG)
            $fatal(1, "MULT9X9: registers are not modelled");
    endgenerate
    wire [17:0] wide_a, wide_b;
    synloom_operand #(9) operand_a (ASIGN, SOA, wide_a);
    synloom_operand #(9) operand_b (BSIGN, SOB, wide_b);
    assign SOA = ASEL ? SIA : A, SOB = BSEL ? SIB : B;
    assign DOUT = wide_a * wide_b;
endmodule

module MULT18X18 (
    input [17:0] A, SIA, B, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [35:0] DOUT,
    output [17:0] SOA, SOB
);
    parameter AREG = 1'b0, BREG = 1'b0, OUT_REG = 1'b0, PIPE_REG = 1'b0;
    parameter ASIGN_REG = 1'b0, BSIGN_REG = 1'b0, SOA_REG = 1'b0, MULT_RESET_MODE = "SYNC";
    generate
        if (AREG || BREG || OUT_REG || PIPE_REG || ASIGN_REG || BSIGN_REG || SOA_REG)
            $fatal(1, "MULT18X18: registers are not modelled");
    endgenerate
    wire [35:0] wide_a, wide_b;
    synloom_operand #(18) operand_a (ASIGN, SOA, wide_a);
    synloom_operand #(18) operand_b (BSIGN, SOB, wide_b);
    assign SOA = ASEL ? SIA : A, SOB = BSEL ? SIB : B;
    assign DOUT = wide_a * wide_b;
endmodule

module MULT36X36 (
    input [35:0] A, B,
    input ASIGN, BSIGN, CE, CLK, RESET,
    output [71:0] DOUT
);
    parameter AREG = 1'b0, BREG = 1'b0, OUT0_REG = 1'b0, OUT1_REG = 1'b0, PIPE_REG = 1'b0;
    parameter ASIGN_REG = 1'b0, BSIGN_REG = 1'b0, MULT_RESET_MODE = "SYNC";
    generate
        if (AREG || BREG || OUT0_REG || OUT1_REG || PIPE_REG || ASIGN_REG || BSIGN_REG)
            $fatal(1, "MULT36X36: registers are not modelled");
    endgenerate
    wire [71:0] wide_a, wide_b;
    synloom_operand #(36) operand_a (ASIGN, A, wide_a);
    synloom_operand #(36) operand_b (BSIGN, B, wide_b);
    assign DOUT = wide_a * wide_b;
endmodule

// The clock goes through: how often it beats in a second is nothing that a simulation sees.
module rPLL (
    input CLKIN, CLKFB, RESET, RESET_P,
    input [5:0] FBDSEL, IDSEL, ODSEL,
    input [3:0] DUTYDA, PSDA, FDLY,
    output CLKOUT, CLKOUTP, CLKOUTD, CLKOUTD3, LOCK
);
    parameter FCLKIN = "100.0", DEVICE = "GW1N-1";
    parameter DYN_IDIV_SEL = "false", IDIV_SEL = 0, DYN_FBDIV_SEL = "false", FBDIV_SEL = 0;
    parameter DYN_ODIV_SEL = "false", ODIV_SEL = 8, PSDA_SEL = "0000", DYN_DA_EN = "false";
    parameter DUTYDA_SEL = "1000", CLKOUT_FT_DIR = 1'b1, CLKOUTP_FT_DIR = 1'b1;
    parameter CLKOUT_DLY_STEP = 0, CLKOUTP_DLY_STEP = 0, CLKFB_SEL = "internal";
    parameter CLKOUT_BYPASS = "false", CLKOUTP_BYPASS = "false", CLKOUTD_BYPASS = "false";
    parameter DYN_SDIV_SEL = 2, CLKOUTD_SRC = "CLKOUT", CLKOUTD3_SRC = "CLKOUT";
    generate
        if (DYN_IDIV_SEL != "false" || DYN_FBDIV_SEL != "false" || DYN_ODIV_SEL != "false" ||
            DYN_DA_EN != "false")
            $fatal(1, "rPLL: moving dividers and phases are not modelled");
        if (CLKFB_SEL != "internal") $fatal(1, "rPLL: external feedback is not modelled");
    endgenerate
    synloom_pll pll (CLKIN, RESET | RESET_P, LOCK);
    assign CLKOUT = CLKIN, CLKOUTP = CLKIN;
    assign CLKOUTD = 0, CLKOUTD3 = 0;  // divided clocks have no user
endmodule
